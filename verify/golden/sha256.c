/* sha256.c - SHA-256 by nettle, which has no dependencies of its own. */
#include <config.h>

#include "verify/io/stored.h"
#include "verify/golden/golden.h"

#ifdef HAVE_NETTLE
#include <nettle/sha2.h>

bool golden_can_hash(void) { return true; }

static void print_digest(char text[SHA256_TEXT], struct sha256_ctx *context)
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(context, sizeof digest, digest);
    for (int i = 0; i < SHA256_DIGEST_SIZE; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
}

bool golden_sha256(char text[SHA256_TEXT], const void *bytes, size_t size)
{
    struct sha256_ctx context;
    sha256_init(&context);
    sha256_update(&context, size, bytes);
    print_digest(text, &context);
    return true;
}

bool golden_sha256_rest(char text[SHA256_TEXT], struct source *source)
{
    static uint8_t buffer[1 << 16];
    struct sha256_ctx context;
    sha256_init(&context);
    while (source->left > 0) {
        const size_t now = source->left < (int64_t)sizeof buffer ? (size_t)source->left : sizeof buffer;
        if (!source_read(source, buffer, now))
            return false;
        sha256_update(&context, now, buffer);
    }
    print_digest(text, &context);
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

bool golden_sha256_rest(char text[SHA256_TEXT], struct source *source)
{
    (void)source;
    text[0] = 0;
    return false;
}
#endif
