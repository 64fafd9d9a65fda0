/* What flags and the environment say, and where things live. The only reader of the environment. */
#ifndef KITH_NODE_CONFIG_H
#define KITH_NODE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "crypto/err.h"

enum { CONFIG_PATH_MAX = 4096 };

enum config_colour { CONFIG_COLOUR_AUTO, CONFIG_COLOUR_ALWAYS, CONFIG_COLOUR_NEVER };

/* Flags that may stand before or after any command. */
struct config {
    const char *home; /* --home, or NULL */
    bool is_json;
    bool no_input;
    const char *passphrase_file; /* --passphrase-file, or NULL */
    bool wants_header;           /* --header: titles above a table that goes to no terminal */
    enum config_colour colour;   /* --color */
    int typed_from, typed_to; /* a pipe for a passphrase that was typed; 0: none (door_store.c) */
};

/* Where this member's things are. */
struct config_places {
    char home[CONFIG_PATH_MAX];    /* key file, store, lock */
    char runtime[CONFIG_PATH_MAX]; /* folder of the socket */
    char socket[CONFIG_PATH_MAX];  /* <= 107 bytes */
};

/* NULL when unset or empty. */
const char *config_env(const char *name);
/* ERR_INVALID: no home can be made out (no HOME); ERR_LIMIT: a path is too long. */
MUST_USE enum err config_places(const struct config *config, struct config_places *out);
/* --color says, else: this descriptor is a terminal that wants colours: NO_COLOR, TERM=dumb,
 * CLICOLOR=0 say no. */
bool config_wants_colour(const struct config *config, int descriptor);
/* COLUMNS, or 0: as wide as the terminal is. */
unsigned config_columns(void);
/* Prompts are possible: stdin and stderr are terminals and nobody said --no-input. */
bool config_may_prompt(const struct config *config);
/* A name to suggest for a new member: the login name. Never NULL. */
const char *config_login_name(void);

#endif
