/* without.c - what onnx.h says when libprotobuf-c was missing: nothing can be read, and what to install.
 *
 * Compiled in the place of the rest of this folder.
 */
#include "verify/onnx/onnx.h"

static enum conv_status missing(struct conv_error *error, const char *name)
{
    conv_fail(error, CONV_BAD_FILE,
              "%s: this build reads no ONNX files, because libprotobuf-c or protoc-c was missing", name);
    conv_hint(error, "install libprotobuf-c-dev and protobuf-c-compiler, and configure again");
    return CONV_BAD_FILE;
}

bool onnx_is_there(struct conv_error *error, const char *name)
{
    missing(error, name);
    return false;
}

enum conv_status pb_read(struct conv_tensor *tensor, const struct tensor_name *from, struct conv_error *error)
{
    (void)tensor;
    return missing(error, from->name);
}

enum conv_status initializer_read(struct conv_tensor *tensor, const struct tensor_name *from,
                                  struct conv_error *error)
{
    (void)tensor;
    return missing(error, from->name);
}

enum conv_status onnx_parse_tensor(struct conv_tensor *tensor, const struct onnx_bytes *bytes, unsigned accepted,
                                   struct conv_error *error)
{
    (void)tensor, (void)accepted;
    return missing(error, bytes->name);
}

enum conv_status onnx_case_read(struct onnx_case *made, const char *folder, const char *theirs, int data_set,
                                struct conv_error *error)
{
    (void)made, (void)theirs, (void)data_set;
    return missing(error, folder);
}

void onnx_case_free(struct onnx_case *made) { (void)made; }

int onnx_case_data_sets(const char *folder)
{
    (void)folder;
    return 0;
}

enum conv_status onnx_network_read(struct conv_network *network, const char *path, const char *in,
                                   struct conv_error *error)
{
    (void)network, (void)in;
    return missing(error, path);
}

enum conv_status onnx_network_parse(struct conv_network *network, const struct onnx_bytes *bytes, const char *in,
                                    struct conv_error *error)
{
    (void)network, (void)in;
    return missing(error, bytes->name);
}
