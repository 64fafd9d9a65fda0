/* Which LMDB runs: a question about the library and not about a store. */
#include <lmdb.h>
#include <stddef.h>

#include "storage/kv_lmdb.h"

const char *kv_lmdb_library(void)
{
    return mdb_version(NULL, NULL, NULL);
}
