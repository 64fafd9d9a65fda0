/*
 * F9: from the start of the real program to its ready line, over a store of many entries, after a
 * clean stop; beside it what opening the store takes of that, and the program over an empty store.
 * usage: bench_start [ENTRIES]; the program is KITH_BINARY, or kith in the build folder above.
 */
#include <signal.h>
#include <sys/wait.h>

#include "tests/bench/home.h"

enum { BENCH_STARTS = 9 };

/* Milliseconds from fork to the ready line; ends the node cleanly then. */
static double bench_start_once(const char *program, const char *home)
{
    double begun = bench_now(), ready;
    int lines[2], status = 0;
    char line[300];
    pid_t node;
    FILE *said;

    if (pipe(lines) != 0)
        exit(1);
    node = fork();
    if (node == 0) {
        dup2(lines[1], STDOUT_FILENO);
        close(lines[0]);
        close(lines[1]);
        execl(program, program, "--home", home, "--no-input", "run", "--json", "--listen",
              "127.0.0.1:0", (char *)NULL);
        _exit(127);
    }
    close(lines[1]);
    said = fdopen(lines[0], "r");
    if (node < 0 || said == NULL || fgets(line, sizeof line, said) == NULL ||
        strncmp(line, "{\"ready\":true", 13) != 0) {
        fprintf(stderr, "%s did not start\n", program);
        exit(1);
    }
    ready = bench_now();
    kill(node, SIGTERM);
    while (waitpid(node, &status, 0) < 0)
        continue;
    fclose(said);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        exit(1);
    return (ready - begun) * 1000;
}

static double bench_starts(const char *program, const char *home)
{
    double took[BENCH_STARTS];

    for (size_t round = 0; round < BENCH_STARTS; round++)
        took[round] = bench_start_once(program, home);
    return bench_median(took, BENCH_STARTS);
}

static void bench_empty(const char *program, const struct device_secrets *secrets)
{
    char store[280], *home = bench_home(secrets, store, sizeof store);
    struct kv *kv = bench_kv(store);

    ledger_close(bench_ledger(kv, secrets));
    kv_close(kv);
    printf("F9 start to serving, empty store      %6.1f ms\n", bench_starts(program, home));
    bench_forget(home, store);
}

int main(int argc, char **argv)
{
    size_t entries = argc > 1 ? (size_t)atol(argv[1]) : 1000000, rounds = 9;
    double opened[9], begun, built;
    struct entropy entropy = entropy_os();
    struct device_secrets secrets;
    struct edit_space edit = {0};
    struct ledger *ledger;
    struct id object = {{0}};
    char program[1000], path[280], *home;
    struct kv *kv;
    bool is_more = true;

    if (secret_start() != ERR_OK)
        return 1;
    bench_program(argv[0], program, sizeof program);
    bench_secrets(&secrets);
    bench_empty(program, &secrets);
    home = bench_home(&secrets, path, sizeof path);
    kv = bench_kv(path);
    ledger = bench_ledger(kv, &secrets);
    begun = bench_now();
    for (size_t at = 0; at < entries; at += 8000) {
        struct ledger_txn *txn;

        bench_check(ledger_begin(ledger, 1700000000000, &txn), "begin");
        for (size_t one = at; one < at + 8000 && one < entries; one++) {
            be32_put(object.bytes + 10, (uint32_t)(one % 100000));
            bench_edit(&edit, &object, one / 100000 + 1);
            bench_check(ledger_append(txn, ledger_self_space(ledger), &edit, 0), "append");
        }
        bench_check(ledger_commit(txn, NULL), "commit");
    }
    built = bench_now();
    printf("built: %zu edits of 100,000 contacts, %.0f /s into the log\n", entries,
           (double)entries / (built - begun));
    begun = bench_now();
    while (is_more)
        bench_check(follow_stage(ledger, 20000, &is_more), "follow");
    printf("followed: %.0f /s into the views\n", (double)entries / (bench_now() - begun));
    ledger_close(ledger);
    kv_close(kv);
    for (size_t round = 0; round < rounds; round++) {
        begun = bench_now();
        kv = bench_kv(path);
        bench_check(ledger_open(kv, &secrets, &entropy, &ledger), "open");
        opened[round] = (bench_now() - begun) * 1000;
        ledger_close(ledger);
        kv_close(kv);
    }
    printf("F9 opening a store of %7zu entries  %6.1f ms\n", entries, bench_median(opened, rounds));
    printf("F9 start to serving, %7zu entries   %6.1f ms (reach 50 ms)\n", entries,
           bench_starts(program, home));
    edit_release(&edit);
    bench_forget(home, path);
    return 0;
}
