/* test_npy.c - .npy files: round trips, files that NumPy wrote, and hostile ones. */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void write_file(const char *path, const void *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, count, file), count);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

static void round_trips(void)
{
    static const struct { int rank; int64_t dims[4]; } shapes[] = {
        { 0, { 0 } }, { 1, { 5 } }, { 2, { 3, 4 } }, { 4, { 1, 2, 3, 4 } }, { 3, { 2, 0, 5 } }, { 1, { 0 } },
    };
    for (enum conv_type type = 0; type < CONV_TYPES; type++)
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            struct conv_tensor written, read;
            struct conv_error error;
            const struct conv_fill fill = { CONV_FILL_UNIFORM, 3, 1, 0 };
            CU_ASSERT_EQUAL_FATAL(conv_tensor_create(&written, type, shapes[i].rank, shapes[i].dims, NULL), CONV_OK);
            conv_fill(type, written.data, conv_tensor_count(&written), "x", &fill);
            CU_ASSERT_EQUAL(conv_npy_write("round_trip.npy", &written, &error), CONV_OK);
            CU_ASSERT_EQUAL_FATAL(conv_npy_read(&read, "round_trip.npy", &error), CONV_OK);
            TEST_EQUAL_INT(read.type, type);
            TEST_EQUAL_INT(read.rank, shapes[i].rank);
            CU_ASSERT(!memcmp(read.dims, written.dims, sizeof read.dims));
            CU_ASSERT(!memcmp(read.data, written.data, conv_tensor_bytes(&written)));
            conv_tensor_free(&written);
            conv_tensor_free(&read);
        }
    remove("round_trip.npy");
}

/* A header of the version, padded as NumPy does, and data behind it. */
static size_t make_file(char *file, int version, const char *header, size_t data_bytes)
{
    const size_t prefix = version == 1 ? 10 : 12, length = strlen(header);
    memcpy(file, "\x93NUMPY", 6);
    file[6] = (char)version;
    file[7] = 0;
    file[8] = (char)(length & 0xff);
    file[9] = (char)(length >> 8);
    if (version > 1)
        file[10] = file[11] = 0;
    memcpy(file + prefix, header, length);
    memset(file + prefix + length, 0, data_bytes);
    return prefix + length + data_bytes;
}

static void versions(void)
{
    for (int version = 1; version <= 3; version++) {
        char file[256];
        struct conv_tensor tensor;
        const size_t size = make_file(file, version, "{'shape': (2, 3), 'fortran_order': False, 'descr': '<f8'}\n", 48);
        write_file("version.npy", file, size);
        CU_ASSERT_EQUAL_FATAL(conv_npy_read(&tensor, "version.npy", NULL), CONV_OK);
        TEST_EQUAL_INT(conv_tensor_count(&tensor), 6);
        conv_tensor_free(&tensor);
    }
    remove("version.npy");
}

/* Everything that must be refused, and the word that the message must have. */
static void hostile_headers(void)
{
    static const struct { const char *header; size_t data; const char *word; } rows[] = {
        { "", 0, "not a .npy" },
        { "{}", 0, "lacks" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", 11, "not as long" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", 13, "not as long" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (3)}", 12, "tuple" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}", 12, "believable" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999, 999999999999)}", 12, "not as long" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999999999999999,)}", 12, "believable" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}", 4, "8 dimensions" },
        { "{'descr': '<f4', 'fortran_order': True, 'shape': (3,)}", 12, "Fortran" },
        { "{'descr': '<f4', 'fortran_order': 0, 'shape': (3,)}", 12, "neither" },
        { "{'descr': '>f4', 'fortran_order': False, 'shape': (3,)}", 12, "'>f4', which is big-endian float32" },
        { "{'descr': '<i4', 'fortran_order': False, 'shape': (3,)}", 12, "'<i4', which is int32" },
        { "{'descr': '|O', 'fortran_order': False, 'shape': (3,)}", 12, "Python objects" },
        { "{'descr': '|V2', 'fortran_order': False, 'shape': (3,)}", 6, "'|V2', which is bytes without a type" },
        { "{'descr': '<f", 0, "'<f', which is float0" },
        { "{'descr': '", 0, "''; it can be" },
        { "{'descr': ", 0, "''; it can be" },
        { "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,)}", 12, "records" },
        { "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", 12, "repeated" },
        { "{'descr': '<f4', 'order': 'C', 'shape': (3,)}", 12, "unknown" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)", 12, "does not end" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}; import os", 12, "behind" },
        { "['descr']", 12, "not a dictionary" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (0x3,)}", 12, "tuple" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': [3]}", 12, "tuple" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char file[512];
        struct conv_tensor tensor = { .data = NULL };
        struct conv_error error;
        write_file("hostile.npy", file, make_file(file, 1, rows[i].header, rows[i].data));
        const enum conv_status status = conv_npy_read(&tensor, "hostile.npy", &error);
        TEST_EQUAL_INT(status, CONV_BAD_FILE);
        CU_ASSERT_PTR_NULL(tensor.data);
        if (!strstr(error.message, rows[i].word) || !strstr(error.message, "hostile.npy"))
            TEST_NOTE("%s: %s", rows[i].header, error.message);
        CU_ASSERT(strstr(error.message, rows[i].word) != NULL);
    }
    remove("hostile.npy");
}

static void hostile_files(void)
{
    static const struct { const char *bytes; size_t count; } rows[] = {
        { "", 0 }, { "\x93NUMPY", 6 }, { "\x93NUMPX\x01\x00\x10\x00", 10 }, { "\x93NUMPY\x04\x00\x10\x00", 10 },
        { "\x93NUMPY\x01\x01\x10\x00", 10 }, { "\x93NUMPY\x01\x00\xff\xff", 10 },
        { "\x93NUMPY\x02\x00\xff\xff\xff\xff", 12 }, { "\x93NUMPY\x01\x00\x05\x00{\0\0\0}", 15 },
    };
    struct conv_tensor tensor;
    struct conv_error error;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        write_file("hostile.npy", rows[i].bytes, rows[i].count);
        TEST_EQUAL_INT(conv_npy_read(&tensor, "hostile.npy", &error), CONV_BAD_FILE);
    }
    remove("hostile.npy");
    TEST_EQUAL_INT(conv_npy_read(&tensor, "there/is/none.npy", &error), CONV_BAD_FILE);
    TEST_EQUAL_INT(conv_npy_read(&tensor, "/dev/zero", &error), CONV_BAD_FILE);
    TEST_EQUAL_INT(conv_npy_read(&tensor, ".", &error), CONV_BAD_FILE);
}

/* A write that fails leaves what was there. */
static void nothing_half_written(void)
{
    static const int64_t dims[] = { 4 };
    struct conv_tensor tensor;
    struct conv_error error;
    CU_ASSERT_EQUAL_FATAL(conv_tensor_create(&tensor, CONV_F32, 1, dims, NULL), CONV_OK);
    memset(tensor.data, 0, conv_tensor_bytes(&tensor));
    TEST_EQUAL_INT(conv_npy_write("there/is/none.npy", &tensor, &error), CONV_BAD_FILE);
    CU_ASSERT(strstr(error.message, "there/is/none.npy") != NULL);
    conv_tensor_free(&tensor);
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_CASE(round_trips), TEST_CASE(versions), TEST_CASE(hostile_headers), TEST_CASE(hostile_files),
        TEST_CASE(nothing_half_written),
    };
    return test_main("test_npy", cases, sizeof cases / sizeof *cases);
}
