/* render_npz.c - the arrays of a case in one .npz archive, stored, dated 1980, so that the bytes never change. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "verify/golden/golden.h"

#ifdef HAVE_LIBZIP
#include <zip.h>

/* Add one member.  libzip frees its bytes, now or with the archive. */
static bool add_member(zip_t *zip, const struct golden_case *made, const struct golden_array *array)
{
    enum { FIRST_OF_1980 = 1 << 5 | 1 };
    char name[32], *bytes;
    size_t size;
    FILE *stream = open_memstream(&bytes, &size);
    if (!stream)
        return false;
    golden_print_npy(stream, made, array);
    if (fclose(stream) != 0)
        return false;
    zip_source_t *source = zip_source_buffer(zip, bytes, size, 1);
    if (!source) {
        free(bytes);
        return false;
    }
    snprintf(name, sizeof name, "%s.npy", array->name);
    const zip_int64_t index = zip_file_add(zip, name, source, ZIP_FL_ENC_UTF_8);
    if (index < 0)
        zip_source_free(source);
    return index >= 0 && zip_set_file_compression(zip, (zip_uint64_t)index, ZIP_CM_STORE, 0) == 0
        && zip_file_set_dostime(zip, (zip_uint64_t)index, 0, FIRST_OF_1980, 0) == 0;
}

static bool copy_out(struct golden_file *file, zip_source_t *source)
{
    zip_stat_t facts;
    if (zip_source_stat(source, &facts) != 0 || zip_source_open(source) != 0)
        return false;
    file->size = (size_t)facts.size;
    file->bytes = malloc(file->size + 1);
    const bool whole = file->bytes && zip_source_read(source, file->bytes, facts.size) == (zip_int64_t)facts.size;
    zip_source_close(source);
    return whole;
}

enum conv_status golden_render_npz(struct golden_file *file, const struct golden_case *made, struct conv_error *error)
{
    zip_error_t reason;
    zip_error_init(&reason);
    zip_source_t *source = zip_source_buffer_create(NULL, 0, 0, &reason);
    zip_t *zip = source ? zip_open_from_source(source, ZIP_CREATE | ZIP_TRUNCATE, &reason) : NULL;
    bool good = zip != NULL;
    if (good)
        zip_source_keep(source);   /* beyond zip_close() */
    for (int i = 0; i < made->count && good; i++)
        good = add_member(zip, made, &made->arrays[i]);
    if (zip && (!good || zip_close(zip) != 0)) {
        zip_discard(zip);
        good = false;
    }
    good = good && copy_out(file, source);
    if (source)
        zip_source_free(source);
    zip_error_fini(&reason);
    return good ? CONV_OK : conv_fail(error, CONV_NO_MEMORY, "no memory for the archive of %s", made->plan.name);
}
#else
enum conv_status golden_render_npz(struct golden_file *file, const struct golden_case *made, struct conv_error *error)
{
    (void)file, (void)made;
    return conv_fail(error, CONV_NOT_APPLICABLE, "this build writes no .npz files, because libzip was missing");
}
#endif
