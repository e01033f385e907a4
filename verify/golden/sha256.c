/* sha256.c - SHA-256 by nettle, which has no dependencies of its own. */
#include <config.h>

#include "golden.h"

#ifdef HAVE_NETTLE
#include <nettle/sha2.h>

bool golden_can_hash(void) { return true; }

bool golden_sha256(char text[SHA256_TEXT], const void *bytes, size_t size)
{
    struct sha256_ctx context;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&context);
    sha256_update(&context, size, bytes);
    sha256_digest(&context, sizeof digest, digest);
    for (int i = 0; i < SHA256_DIGEST_SIZE; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return true;
}
#else
bool golden_can_hash(void) { return false; }

bool golden_sha256(char text[SHA256_TEXT], const void *bytes, size_t size)
{
    (void)bytes, (void)size;
    text[0] = 0;
    return false;
}
#endif
