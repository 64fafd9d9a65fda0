/* The published word list, and the 24-word vectors that BIP-39 names
 * (github.com/trezor/python-mnemonic). */
#include "tests/vectors/vectors.h"

#include "crypto/secret.h"
#include "crypto/wordlist.h"
#include "crypto/words.h"

static void wordlist_is_the_published_list(void **state)
{
    struct buf text = {0};
    const char *at;
    size_t count = 0;

    (void)state;
    vectors_read("words/bip39-english.txt", &text);
    for (at = (const char *)text.data; *at != '\0'; at += strspn(at, "\n")) {
        size_t size = strcspn(at, "\n");

        assert_true(count < WORDLIST_COUNT);
        assert_true(span_is_equal(span_of(at, size), span_str(wordlist[count])));
        at += size;
        count++;
    }
    assert_int_equal(count, WORDLIST_COUNT);
    buf_release(&text);
}

static const struct {
    const char *seed;
    const char *words;
} bip39_vectors[] = {
    {"0000000000000000000000000000000000000000000000000000000000000000",
     "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
     "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
     "abandon art"},
    {"7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
     "legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth "
     "useful legal winner thank year wave sausage worth title"},
    {"8080808080808080808080808080808080808080808080808080808080808080",
     "letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount "
     "doctor acoustic avoid letter advice cage absurd amount doctor acoustic bless"},
    {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo "
     "vote"},
    {"68a79eaca2324873eacc50cb9c6eca8cc68ea5d936f98787c60c7ebc74e6ce7c",
     "hamster diagram private dutch cause delay private meat slide toddler razor book happy fancy "
     "gospel tennis maple dilemma loan word shrug inflict delay length"},
    {"9f6a2878b2520799a44ef18bc7df394e7061a224d2c33cd015b157d746869863",
     "panda eyebrow bullet gorilla call smoke muffin taste mesh discover soft ostrich alcohol "
     "speed nation flash devote level hobby quick inner drive ghost inside"},
    {"066dca1a2bb7e8a1db2832148ce9933eea0f3ac9548d793112d9a95c9407efad",
     "all hour make first leader extend hole alien behind guard gospel lava path output census "
     "museum junior mass reopen famous sing advance salt reform"},
    {"f585c11aec520db57dd353c69554b21a89b20fb0650966fa0a9d6f74fd989d8f",
     "void come effort suffer camp survey warrior heavy shoot primary clutch crush open amazing "
     "screen patrol group space point ten exist slush involve unfold"},
};

static void words_agree_with_the_published_vectors(void **state)
{
    size_t count = 0;

    (void)state;
    for (size_t at = 0; at < sizeof bip39_vectors / sizeof bip39_vectors[0]; at++) {
        uint8_t seed[SEED_SIZE], read[SEED_SIZE];
        char text[WORDS_RECOVERY_SIZE];

        assert_int_equal(hex_read(span_str(bip39_vectors[at].seed), seed, SEED_SIZE), ERR_OK);
        words_recovery(seed, text);
        assert_string_equal(text, bip39_vectors[at].words);
        assert_int_equal(words_read_recovery(span_str(bip39_vectors[at].words), read), ERR_OK);
        assert_memory_equal(read, seed, SEED_SIZE);
        count++;
    }
    assert_int_equal(count, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wordlist_is_the_published_list),
        cmocka_unit_test(words_agree_with_the_published_vectors),
    };

    return secret_start() == ERR_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
