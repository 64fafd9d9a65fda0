/* A new identity: recovery words, root keys, this device's keys, an empty store with a card. The
 * key file is written last: a home with a key file is whole. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crypto/secret.h"
#include "crypto/words.h"
#include "node/clock.h"
#include "node/cmd.h"
#include "node/door.h"
#include "node/interrupt.h"
#include "node/prompt.h"
#include "node/show.h"
#include "node/writer.h"
#include "proto/limits.h"
#include "storage/fold.h"

enum {
    CMD_NAME_MAX = 200,
    CMD_INIT_WORDS = 6,         /* a line */
    CMD_INIT_ROOM = 4096,       /* for what is on its way out */
    CMD_INIT_DISK_MIN = 1 << 20 /* bytes of the disk that a new store wants */
};

/* A terminal is asked; otherwise the login name serves. */
static const char *cmd_init_name(const struct config *config, json_t *params,
                                 char ask[static CMD_NAME_MAX + 1])
{
    const char *name = json_string_value(json_object_get(params, "name"));
    char label[CMD_NAME_MAX + 20];

    if (name != NULL)
        return name;
    if (!config_may_prompt(config))
        return config_login_name();
    (void)snprintf(label, sizeof label, "Your name [%.200s]", config_login_name());
    return prompt_line(label, ask, CMD_NAME_MAX) ? ask : config_login_name();
}

struct cmd_init_card {
    struct writer_job base;
    struct op_call call;
};

static enum err cmd_init_run(struct writer_job *base, struct ledger_txn *txn)
{
    struct cmd_init_card *job = (struct cmd_init_card *)(void *)base;
    enum err err;

    job->call.txn = txn;
    job->call.now_ms = clock_wall_ms();
    job->call.snapshot = ledger_txn_snapshot(txn);
    err = op_check_seen(&job->call);
    return err == ERR_OK ? ops_find("me.edit")->run(&job->call) : err;
}

/* The store is made, the card written, then the keys: only with its key file does a home count. */
static enum err cmd_init_make(struct home *home, struct device_secrets *secrets, json_t *params,
                              struct span passphrase, struct op_failure *failure, json_t **out_card)
{
    struct entropy entropy = entropy_os();
    struct op_world world = {.home = home->places.home};
    struct cmd_init_card job = {.base = {.run = cmd_init_run}};
    struct ledger *ledger = NULL;
    struct kv *kv = NULL;
    enum err err;

    if (!fold_is_seen(span_str(json_string_value(json_object_get(params, "name"))))) {
        door_fail(failure, OP_USAGE, "kith init --name NAME",
                  "there is nothing to see in that name");
        return ERR_INVALID;
    }
    err = home_open_store(home, false, &kv);
    if (err == ERR_OK)
        err = ledger_create(kv, secrets, &entropy, span_str("first device"), clock_wall_ms());
    if (err == ERR_OK)
        err = ledger_open(kv, secrets, &entropy, &ledger);
    if (err == ERR_OK) {
        job.call.params = params;
        job.call.world = &world;
        writer_run_alone(ledger, &job.base);
        err = job.base.err;
        *failure = job.call.failure;
        *out_card = job.call.result;
    }
    if (ledger != NULL)
        ledger_close(ledger);
    kv_close(kv);
    if (err == ERR_OK && interrupt_is_waiting())
        err = ERR_CANCELLED;
    if (err == ERR_OK) /* From here on it is an identity. */
        err = home_write_key(home, secrets, passphrase, false);
    return err;
}

static void cmd_init_show_words(const char *words)
{
    (void)puts("\nThese 24 words are your identity. Write them down on paper, in this order;\n"
               "they are shown only now:\n");
    show_numbered(words, CMD_INIT_WORDS);
}

/* The home as people write it: from their own folder on. */
static void cmd_init_welcome(const char *name, const char *path)
{
    const char *own = config_env("HOME");
    size_t size = own != NULL ? strlen(own) : 0;
    bool is_below = size > 1 && strncmp(path, own, size) == 0 && path[size] == '/';
    char line[CONFIG_PATH_MAX + CMD_NAME_MAX + 60];

    (void)snprintf(line, sizeof line, "Welcome, %s. Your address book lives in %s%s.", name,
                   is_below ? "~" : "", is_below ? path + size : path);
    show_say(line);
}

static void cmd_init_say(const struct config *config, const struct home *home,
                         const struct device_secrets *secrets, const struct signing_key *device,
                         const char *name, const char *words, const char *recovery)
{
    static const char *const next[][2] = {{"kith import FILE.vcf", "brings your address book"},
                                          {"kith run", "runs your node"},
                                          {"kith peer invite NAME", "links you with somebody"}};
    char did[DID_SIZE], id[65];

    identity_did(&secrets->member, did);
    hex_write(span_of(device->public_key.bytes, 32), id);
    if (config->is_json) {
        json_t *answer = json_pack("{s:s, s:s, s:s, s:s, s:s}", "member", did, "device", id, "name",
                                   name, "home", home->places.home, "recovery_words", words);

        show_json(answer, JSON_COMPACT);
        json_decref(answer);
    } else {
        cmd_init_welcome(name, home->places.home);
        if (recovery != NULL)
            (void)printf("Your 24 recovery words are in %s: bring them to paper or another safe "
                         "place, they are your identity.\n",
                         recovery);
        else
            cmd_init_show_words(words);
        for (size_t at = 0; at < sizeof next / sizeof next[0]; at++)
            show_command(at == 0 ? "Next" : "", next[at][0], strlen(next[2][0]), next[at][1]);
    }
}

/* The words pass through a buffer of the stream: nothing was said before, so that it takes this
 * one, and has it for as long as the process lives. What could not be said is said no more. */
static int cmd_init_answer(const struct config *config, const struct home *home,
                           const struct device_secrets *secrets, const struct signing_key *device,
                           const char *name, const char *words, const char *recovery)
{
    char *room = secret_new(CMD_INIT_ROOM);
    bool is_said;

    (void)setvbuf(stdout, room, room != NULL ? _IOFBF : _IONBF, room != NULL ? CMD_INIT_ROOM : 0);
    cmd_init_say(config, home, secrets, device, name, words, recovery);
    is_said = fflush(stdout) == 0;
    if (!is_said)
        (void)close(STDOUT_FILENO);
    if (room != NULL)
        secret_wipe(room, CMD_INIT_ROOM);
    return is_said ? OP_DONE : OP_FAILED;
}

static bool cmd_init_passphrase(const struct config *config, char *out, size_t *out_size,
                                struct op_failure *failure)
{
    const char *why;
    enum err err;

    *out_size = 0;
    if (config->passphrase_file == NULL)
        return true;
    err = home_read_passphrase(config->passphrase_file, out, PASSPHRASE_SIZE_MAX + 1, out_size);
    if (err == ERR_OK && *out_size > 0)
        return true;
    why = home_why_unreadable(config->passphrase_file);
    door_fail(failure, OP_FAILED, "--passphrase-file FILE", "the passphrase file %.300s %s%s",
              config->passphrase_file, err == ERR_OK ? "is empty" : "could not be read: ",
              err == ERR_OK ? ""
              : why != NULL ? why
                            : err_sentence(err));
    return false;
}

/* The words of another identity are never written over. */
static enum err cmd_init_write_words(const char *path, const char *words,
                                     struct op_failure *failure)
{
    char *line = secret_new(WORDS_RECOVERY_SIZE + 1);
    enum err err = ERR_NOMEM;

    if (line != NULL) {
        (void)snprintf(line, WORDS_RECOVERY_SIZE + 1, "%s\n", words); /* It fits. */
        err = home_write_new_file(path, span_str(line), 0600);
    }
    secret_free(line);
    if (err == ERR_EXISTS)
        door_fail(failure, OP_AMBIGUOUS, "--recovery-file another name",
                  "%.300s is there already and is not written over", path);
    else if (err != ERR_OK)
        door_fail(failure, OP_FAILED, "--recovery-file a place you may write to",
                  "the recovery words could not be written to %.300s: %s", path,
                  err == ERR_NOT_FOUND ? "there is no such folder" : err_sentence(err));
    return err;
}

static void cmd_init_fail(struct op_failure *failure, enum err err, const struct home *home)
{
    if (failure->code != OP_DONE)
        return;
    if (err == ERR_EXISTS || err == ERR_BUSY)
        door_fail(failure, OP_AMBIGUOUS, "kith status, or --home another folder",
                  "there is an identity in %.300s already", home->places.home);
    else if (err == ERR_FULL)
        door_fail(failure, OP_FAILED, "free some room on the disk",
                  "the disk is full; nothing was kept");
    else
        door_fail(failure, OP_FAILED, "look at the permissions of the folder",
                  "%.300s could not be set up: %s", home->places.home,
                  err == ERR_NOT_FOUND ? "there is no such folder" : err_sentence(err));
}

static enum err cmd_init_prepare(const struct config *config, struct home *home)
{
    struct op_health health;
    enum home_holder who;
    long pid;
    enum err err = home_init(config, home);

    if (err == ERR_OK && home_has_identity(home))
        err = ERR_EXISTS;
    if (err == ERR_OK)
        err = home_create(home);
    /* A store is mapped: where its file cannot grow, who writes is ended by a signal. */
    if (err == ERR_OK && home_look(home->places.home, &health) == ERR_OK &&
        health.disk_free_bytes < CMD_INIT_DISK_MIN)
        err = ERR_FULL;
    if (err == ERR_OK)
        err = home_lock(home, HOME_COMMAND, &who, &pid);
    if (err == ERR_OK && home_has_identity(home))
        err = ERR_EXISTS;
    if (err == ERR_OK)
        err = home_forget_store(home);
    return err;
}

/* PROTOCOL KEYS-1: "A member begins as 32 random bytes, the recovery seed." */
int cmd_init(const struct config *config, const struct cmd *cmd, json_t *params)
{
    const char *recovery = json_string_value(json_object_get(params, "recovery-file"));
    char ask[CMD_NAME_MAX + 1], *passphrase = secret_new(PASSPHRASE_SIZE_MAX + 1),
                                *words = secret_new(WORDS_RECOVERY_SIZE);
    struct device_secrets *secrets = secret_new(sizeof *secrets);
    struct signing_key *device = secret_new(sizeof *device);
    uint8_t *seed = secret_new(SEED_SIZE);
    struct entropy entropy = entropy_os();
    struct op_failure failure = {0};
    struct home home = {.lock = -1};
    /* Nobody is asked for a name that cannot be taken. */
    bool is_there = home_init(config, &home) == ERR_OK && home_has_identity(&home);
    const char *name = is_there ? config_login_name() : cmd_init_name(config, params, ask);
    json_t *card = NULL;
    struct interrupt interrupt;
    size_t passphrase_size = 0;
    int code;
    enum err err = ERR_NOMEM;

    (void)cmd;
    if (!json_is_string(json_object_get(params, "name")))
        (void)json_object_set_new(params, "name", json_string(name));
    if (passphrase != NULL && words != NULL && secrets != NULL && device != NULL && seed != NULL)
        err = cmd_init_prepare(config, &home);
    if (err == ERR_OK && !cmd_init_passphrase(config, passphrase, &passphrase_size, &failure))
        err = ERR_INVALID;
    if (err == ERR_OK) {
        entropy_fill(&entropy, seed, SEED_SIZE);
        err = keyfile_draw(seed, &entropy, clock_wall_ms(), secrets);
    }
    /* Words of nobody, or somebody whose words were never shown: neither may be left behind. */
    interrupt_hold(&interrupt);
    if (err == ERR_OK) {
        identity_signing_key(secrets->signing_seed, device);
        words_recovery(seed, words);
        if (recovery != NULL)
            err = cmd_init_write_words(recovery, words, &failure);
    }
    if (err == ERR_OK) {
        err = cmd_init_make(&home, secrets, params, span_of(passphrase, passphrase_size), &failure,
                            &card);
        if (err != ERR_OK && recovery != NULL)
            (void)unlink(recovery); /* Words of nobody. */
    }
    if (err == ERR_OK) {
        code = cmd_init_answer(config, &home, secrets, device, name, words, recovery);
        interrupt_release(&interrupt);
    } else {
        interrupt_release(&interrupt);
        cmd_init_fail(&failure, err, &home);
        code = cmd_fail(config, &failure);
    }
    home_unlock(&home);
    json_decref(card);
    secret_free(seed);
    secret_free(device);
    secret_free(secrets);
    secret_free(words);
    secret_free(passphrase);
    return code;
}
