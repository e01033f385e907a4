/* npz.c - one array out of a .npz archive.
 *
 * An archive is a zip file whose members are .npy files.  libzip reads the zip; what is refused here is what it would
 * let pass: too many members, two of one name, names that lead elsewhere, encryption, and sizes that deflate can't
 * reach.  The member is decompressed as far as its own header says, so that a bomb has nothing to fill; its CRC is
 * checked at the end.
 */
#include <config.h>

#ifdef HAVE_LIBZIP
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "verify/io/readers.h"

/* Deflate can't shrink by more than 1032 (zlib's technical details); a size beyond that is a lie. */
enum { MOST_MEMBERS = 4096, LARGEST_RATIO = 1032, SMALL = 4096 };

struct archive {
    zip_t *zip;
    struct source source;         /* for messages, then the member */
    struct conv_error *error;
    int64_t count;
    const char *names[MOST_MEMBERS];
};

static enum conv_status refuse(struct archive *archive, const char *what)
{
    return stored_bad(&archive->source, archive->error,
                      "convref reads what numpy.savez() and savez_compressed() write",
                      "%s", what);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum conv_status check_names(struct archive *archive)
{
    const char *sorted[MOST_MEMBERS];
    archive->count = zip_get_num_entries(archive->zip, 0);
    if (!(archive->count >= 1 && archive->count <= MOST_MEMBERS))
        return refuse(archive,
                      archive->count ? "the archive has more than 4096 members" : "the archive has no members");
    for (int64_t i = 0; i < archive->count; i++) {
        archive->names[i] = sorted[i] = zip_get_name(archive->zip, (zip_uint64_t)i, 0);
        if (!sorted[i] || sorted[i][0] == '/' || strstr(sorted[i], ".."))
            return refuse(archive, "the archive has a member whose name leads out of it");
    }
    qsort(sorted, (size_t)archive->count, sizeof *sorted, by_name);
    for (int64_t i = 1; i < archive->count; i++)
        if (!strcmp(sorted[i - 1], sorted[i]))
            return refuse(archive, "the archive has two members of one name");
    return CONV_OK;
}

/* The member "x", which NumPy calls "x.npy". */
static bool is_called(const char *name, const char *member)
{
    const size_t length = strlen(member);
    return !strncmp(name, member, length) && (!name[length] || !strcmp(name + length, ".npy"));
}

/* "x, w, y": as many names as fit. */
static void list_names(char list[256], const struct archive *archive)
{
    size_t used = 0;
    list[0] = 0;
    for (int64_t i = 0; i < archive->count && used < 200; i++) {
        const size_t length = strlen(archive->names[i]);
        const int shown = length > 4 && !strcmp(archive->names[i] + length - 4, ".npy")
                              ? (int)length - 4 : (int)length;
        used += (size_t)snprintf(list + used, 256 - used, "%s%.*s", i ? ", " : "", shown < 40 ? shown : 40,
                                 archive->names[i]);
    }
}

static int64_t find_member(struct archive *archive, const struct tensor_name *from)
{
    char list[256];
    for (int64_t i = 0; from->member && i < archive->count; i++)
        if (is_called(archive->names[i], from->member))
            return i;
    if (!from->member && archive->count == 1)
        return 0;
    list_names(list, archive);
    if (from->member)
        stored_bad(&archive->source, archive->error, NULL, "the archive has no member of that name; it has %s", list);
    else
        stored_bad(&archive->source, archive->error, "FILE.npz:NAME", "name one of its members: %s", list);
    return -1;
}

static enum conv_status check_member(struct archive *archive, const zip_stat_t *facts)
{
    const zip_uint64_t needed = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD
        | ZIP_STAT_ENCRYPTION_METHOD;
    if ((facts->valid & needed) != needed || facts->size > INT64_MAX)
        return refuse(archive, "the archive doesn't say how large the member is");
    if (facts->encryption_method != ZIP_EM_NONE)
        return refuse(archive, "the member is encrypted");
    if (facts->comp_method != ZIP_CM_STORE && facts->comp_method != ZIP_CM_DEFLATE)
        return refuse(archive, "the member is compressed by neither of NumPy's methods, stored and deflated");
    if (facts->comp_method == ZIP_CM_STORE && facts->size != facts->comp_size)
        return refuse(archive, "the member is stored, and yet of two sizes");
    if (facts->size > SMALL && facts->size / LARGEST_RATIO > facts->comp_size)
        return refuse(archive,
                      "the member claims to be over 1032 times as large as its bytes; deflate can't do that");
    return CONV_OK;
}

static bool read_member(void *handle, void *to, size_t bytes)
{
    return zip_fread(handle, to, bytes) == (zip_int64_t)bytes;
}

/* libzip compares the CRC when it meets the end. */
static enum conv_status check_end(struct archive *archive)
{
    char more;
    return zip_fread(archive->source.handle, &more, 1) == 0
               ? CONV_OK : refuse(archive, "the member's bytes don't match its checksum (CRC-32)");
}

static enum conv_status read_found(struct conv_tensor *tensor, struct archive *archive, int64_t index)
{
    zip_stat_t facts;
    if (zip_stat_index(archive->zip, (zip_uint64_t)index, 0, &facts) != 0)
        return refuse(archive, "the archive doesn't say how large the member is");
    enum conv_status status = check_member(archive, &facts);
    if (status != CONV_OK)
        return status;
    zip_file_t *member = zip_fopen_index(archive->zip, (zip_uint64_t)index, 0);
    if (!member)
        return stored_bad(&archive->source, archive->error, NULL, "the member can't be opened: %s",
                          zip_strerror(archive->zip));
    archive->source.handle = member;
    archive->source.left = (int64_t)facts.size;
    archive->source.read = read_member;
    status = npy_read(tensor, &archive->source, archive->error);
    if (status == CONV_OK && check_end(archive) != CONV_OK) {
        conv_tensor_free(tensor);
        status = CONV_BAD_FILE;
    }
    zip_fclose(member);
    return status;
}

static enum conv_status read_archive(struct conv_tensor *tensor, struct archive *archive,
                                     const struct tensor_name *from)
{
    const enum conv_status status = check_names(archive);
    const int64_t index = status == CONV_OK ? find_member(archive, from) : -1;
    return index >= 0 ? read_found(tensor, archive, index) : CONV_BAD_FILE;
}

static zip_t *open_zip(const struct tensor_name *from, struct conv_error *error)
{
    int code;
    zip_error_t reason;
    struct source file;
    /* for the words about files that aren't there or aren't files */
    if (source_open(&file, from->path, 0, error) != CONV_OK)
        return NULL;
    source_close(&file);
    zip_t *zip = zip_open(from->path, ZIP_RDONLY | ZIP_CHECKCONS, &code);
    if (!zip) {
        zip_error_init_with_code(&reason, code);
        conv_fail(error, CONV_BAD_FILE, "%s: it is not a zip archive that can be read: %s", from->path,
                  code == ZIP_ER_EXISTS ? "two members have one name"
                      : code == ZIP_ER_NOENT ? "its directory lacks what it refers to" : zip_error_strerror(&reason));
        conv_hint(error, "convref reads what numpy.savez() and savez_compressed() write");
        zip_error_fini(&reason);
    }
    return zip;
}

enum conv_status npz_read(struct conv_tensor *tensor, const struct tensor_name *from, struct conv_error *error)
{
    struct conv_error unsaid;
    struct archive *archive = calloc(1, sizeof *archive);
    if (!archive)
        return conv_fail(error, CONV_NO_MEMORY, "no memory to read %s", from->name);
    archive->error = error ? error : &unsaid;
    archive->source = (struct source){ .name = from->name, .accepted = from->accepted,
                                        .most = from->most, .seen = from->seen };
    archive->zip = open_zip(from, archive->error);
    const enum conv_status status = archive->zip ? read_archive(tensor, archive, from) : archive->error->status;
    if (archive->zip)
        zip_discard(archive->zip);
    free(archive);
    return status;
}
#endif
