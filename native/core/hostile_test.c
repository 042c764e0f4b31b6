/*
 * Params with any numbers in them: a call answers with a status and touches nothing but its buffers. These are
 * allocations of just the size that the bounds say, so that the address sanitizer sees every other access.
 */
#include <stddef.h>

#include "test/test.h"

enum { ROUNDS = 30000, MAX_POINTERS = 10, WIDE = 1 << 22 };

/* Every params struct begins with its pointers and then their bounds. */
typedef struct operation {
    const char *name;
    int32_t (*run)(shrike_context *context, const void *params);
    size_t size;
    int pointers;
    int64_t (*work)(const void *params); /* of what reads a buffer over and over; null where results bound it */
    void (*make)(void *params);
} operation;

#define RUNS(name)                                                                                                     \
    static int32_t run_##name(shrike_context *context, const void *params) {                                           \
        return shrike_##name(context, params);                                                                         \
    }
RUNS(conv2d_f32)
RUNS(maxpool2d_f32)
RUNS(avgpool2d_f32)
RUNS(resize2d_f32)
RUNS(unary_f32)
RUNS(binary_f32)
RUNS(copy_f32)
RUNS(fill_f32)
RUNS(softmax_f32)
RUNS(reduce_f32)
RUNS(matmul_f32)
RUNS(conv2d_q)
RUNS(maxpool2d_u8)
RUNS(resize2d_u8)
RUNS(lut_u8)
RUNS(add_u8)
RUNS(quantize_f32_u8)
RUNS(quantize_dynamic_f32_u8)
RUNS(dequantize_u8_f32)
RUNS(letterbox_u8_f32)

/* The numbers of an image operation, by the names that all of them have. */
#define IMAGE(p)                                                                                                       \
    ((p)->batch = 2, (p)->height = 3, (p)->width = 4, (p)->channels = 2, (p)->out_height = 3, (p)->out_width = 4,      \
     (p)->src_pixel_stride = (p)->dst_pixel_stride = 2, (p)->src_row_stride = (p)->dst_row_stride = 8,                 \
     (p)->src_batch_stride = (p)->dst_batch_stride = 24)
#define WINDOW(p)                                                                                                      \
    ((p)->kernel_height = 3, (p)->kernel_width = 2, (p)->stride_height = (p)->stride_width = 1, (p)->pad_top = 1,      \
     (p)->pad_left = 1, (p)->dilation_height = (p)->dilation_width = 1)
#define VIEW(p, field) ((p)->field##_strides[0] = 12, (p)->field##_strides[1] = 4, (p)->field##_strides[2] = 1)
#define SHAPE(p) ((p)->rank = 3, (p)->dims[0] = 2, (p)->dims[1] = 3, (p)->dims[2] = 4)

static void make_conv2d_f32(void *params) {
    shrike_conv2d_f32_params *p = params;
    IMAGE(p), WINDOW(p);
    p->out_channels = 2;
    p->groups = 1;
    p->residual_pixel_stride = 2;
    p->residual_row_stride = 8;
    p->residual_batch_stride = 24;
}

static void make_pool2d_f32(void *params) {
    shrike_pool2d_f32_params *p = params;
    IMAGE(p), WINDOW(p);
    p->pad_bottom = p->pad_right = 1;
}

static void make_resize2d_f32(void *params) {
    IMAGE((shrike_resize2d_f32_params *)params);
}

static void make_unary_f32(void *params) {
    shrike_unary_f32_params *p = params;
    SHAPE(p), VIEW(p, src), VIEW(p, dst);
}

static void make_binary_f32(void *params) {
    shrike_binary_f32_params *p = params;
    SHAPE(p), VIEW(p, a), VIEW(p, b), VIEW(p, dst);
}

static void make_copy_f32(void *params) {
    shrike_copy_f32_params *p = params;
    SHAPE(p), VIEW(p, src), VIEW(p, dst);
}

static void make_fill_f32(void *params) {
    shrike_fill_f32_params *p = params;
    SHAPE(p), VIEW(p, dst);
}

static void make_softmax_f32(void *params) {
    shrike_softmax_f32_params *p = params;
    SHAPE(p), VIEW(p, src), VIEW(p, dst);
}

static void make_reduce_f32(void *params) {
    shrike_reduce_f32_params *p = params;
    SHAPE(p), VIEW(p, src), VIEW(p, dst);
    p->axis_mask = 2;
}

/* The product of sizes, or WIDE if it is larger or makes no sense. */
static int64_t product(const int64_t *sizes, int32_t count) {
    int64_t all = 1;
    for (int32_t i = 0; i < count; i++) {
        if (sizes[i] < 1 || __builtin_mul_overflow(all, sizes[i], &all) || all > WIDE) {
            return WIDE;
        }
    }
    return all;
}

static int64_t work_of_reduce_f32(const void *params) {
    const shrike_reduce_f32_params *p = params;
    return p->rank < 0 || p->rank > SHRIKE_MAX_RANK ? 0 : product(p->dims, p->rank);
}

static void make_matmul_f32(void *params) {
    shrike_matmul_f32_params *p = params;
    p->m = p->n = p->k = 3;
    p->a_row_stride = p->b_row_stride = p->bias_row_stride = p->dst_row_stride = 3;
    p->a_column_stride = p->b_column_stride = p->bias_column_stride = p->dst_column_stride = 1;
    p->alpha = 1;
    p->batch_rank = 1;
    p->batch_dims[0] = 2;
    p->a_batch_strides[0] = p->b_batch_strides[0] = p->bias_batch_strides[0] = p->dst_batch_strides[0] = 9;
}

static int64_t work_of_matmul_f32(const void *params) {
    const shrike_matmul_f32_params *p = params;
    return p->k > 4096 ? WIDE : 0;
}

static void make_conv2d_q(void *params) {
    shrike_conv2d_q_params *p = params;
    IMAGE(p), WINDOW(p);
    p->out_channels = 2;
    p->groups = 1;
    p->residual_pixel_stride = 2;
    p->residual_row_stride = 8;
    p->residual_batch_stride = 24;
    p->src_bits = (int32_t)pick(1, 8);
    p->weight_bits = (int32_t)pick(1, 8);
    p->high = p->residual_high = 255;
    p->code_multiplier = 1;
    p->output = (int32_t)pick(0, 1);
    p->kernel = (int32_t)pick(0, SHRIKE_QKERNEL_COUNT - 1);
    p->src_dynamic = p->output == SHRIKE_QOUT_REAL && p->src_bits == 8;
}

static void make_pool2d_u8(void *params) {
    shrike_pool2d_u8_params *p = params;
    IMAGE(p), WINDOW(p);
}

static void make_resize2d_u8(void *params) {
    IMAGE((shrike_resize2d_u8_params *)params);
}

static void make_lut_u8(void *params) {
    shrike_lut_u8_params *p = params;
    SHAPE(p), VIEW(p, src), VIEW(p, dst);
}

static void make_add_u8(void *params) {
    shrike_add_u8_params *p = params;
    SHAPE(p), VIEW(p, a), VIEW(p, b), VIEW(p, dst);
    p->high = 255;
}

static void make_quantize_f32_u8(void *params) {
    shrike_quantize_f32_u8_params *p = params;
    SHAPE(p), VIEW(p, src), VIEW(p, dst);
    p->scale = 0.5f;
    p->high = 255;
}

static void make_quantize_dynamic_f32_u8(void *params) {
    shrike_quantize_dynamic_f32_u8_params *p = params;
    SHAPE(p), VIEW(p, src), VIEW(p, dst);
}

static void make_dequantize_u8_f32(void *params) {
    shrike_dequantize_u8_f32_params *p = params;
    SHAPE(p), VIEW(p, src), VIEW(p, dst);
    p->scale = 0.5f;
}

static void make_letterbox_u8_f32(void *params) {
    shrike_letterbox_u8_f32_params *p = params;
    p->src_row_stride = 12;
    p->dst_channel_stride = 20;
    p->dst_row_stride = 5;
    p->dst_pixel_stride = 1;
    p->format = SHRIKE_PIXELS_NV12;
    p->height = p->region_height = 7;
    p->width = p->region_width = 9;
    p->out_height = 4;
    p->out_width = 5;
    p->inner_height = p->inner_width = 3;
    p->top = p->left = p->red_first = 1;
    p->scale = 0.5f;
}

#define OPERATION(name, struct_name, pointers, work)                                                                   \
    { #name, run_##name, sizeof(shrike_##struct_name##_params), pointers, work, make_##struct_name }

static const operation operations[] = {
    OPERATION(conv2d_f32, conv2d_f32, 5, NULL),
    OPERATION(maxpool2d_f32, pool2d_f32, 2, NULL),
    OPERATION(avgpool2d_f32, pool2d_f32, 2, NULL),
    OPERATION(resize2d_f32, resize2d_f32, 2, NULL),
    OPERATION(unary_f32, unary_f32, 2, NULL),
    OPERATION(binary_f32, binary_f32, 3, NULL),
    OPERATION(copy_f32, copy_f32, 2, NULL),
    OPERATION(fill_f32, fill_f32, 1, NULL),
    OPERATION(softmax_f32, softmax_f32, 2, NULL),
    OPERATION(reduce_f32, reduce_f32, 2, work_of_reduce_f32),
    OPERATION(matmul_f32, matmul_f32, 4, work_of_matmul_f32),
    OPERATION(conv2d_q, conv2d_q, 10, NULL),
    OPERATION(maxpool2d_u8, pool2d_u8, 2, NULL),
    OPERATION(resize2d_u8, resize2d_u8, 2, NULL),
    OPERATION(lut_u8, lut_u8, 3, NULL),
    OPERATION(add_u8, add_u8, 3, NULL),
    OPERATION(quantize_f32_u8, quantize_f32_u8, 2, NULL),
    OPERATION(quantize_dynamic_f32_u8, quantize_dynamic_f32_u8, 3, NULL),
    OPERATION(dequantize_u8_f32, dequantize_u8_f32, 3, NULL),
    OPERATION(letterbox_u8_f32, letterbox_u8_f32, 3, NULL),
};

enum { OPERATIONS = ARRAY_SIZE(operations) };

/* Params of any operation. Numbers are written as bytes, since the struct's own types differ. */
typedef struct params {
    _Alignas(8) unsigned char bytes[512];
} params;

static int64_t number_at(const params *p, size_t at, size_t size) {
    int64_t wide;
    int32_t narrow;
    memcpy(&wide, p->bytes + at, sizeof wide);
    memcpy(&narrow, p->bytes + at, sizeof narrow);
    return size == sizeof wide ? wide : narrow;
}

static void put_number(params *p, size_t at, size_t size, int64_t number) {
    int32_t narrow = (int32_t)number;
    memcpy(p->bytes + at, size == sizeof number ? (const void *)&number : &narrow, size);
}

static void put_pointer(params *p, int index, const void *to) {
    memcpy(p->bytes + sizeof to * (size_t)index, &to, sizeof to);
}

static int64_t odd(int64_t now) {
    static const int64_t values[] = {0,
                                     1,
                                     2,
                                     3,
                                     7,
                                     8,
                                     9,
                                     15,
                                     16,
                                     17,
                                     31,
                                     63,
                                     64,
                                     65,
                                     255,
                                     256,
                                     1000,
                                     65535,
                                     65536,
                                     1 << 20,
                                     1 << 24,
                                     1 << 29,
                                     1 << 30,
                                     INT32_MAX,
                                     INT32_MIN,
                                     INT64_C(1) << 31,
                                     INT64_C(1) << 32,
                                     INT64_C(1) << 40,
                                     INT64_C(1) << 48,
                                     INT64_C(1) << 62,
                                     INT64_MAX,
                                     INT64_MIN};
    int64_t value = values[pick(0, ARRAY_SIZE(values) - 1)];
    switch (pick(0, 4)) {
    case 0:
        return value;
    case 1:
        return (int64_t)(0 - (uint64_t)value);
    case 2:
        return (int64_t)((uint64_t)now + 1);
    case 3:
        return (int64_t)((uint64_t)now - 1);
    default:
        return pick(-4, 20);
    }
}

static void *allocate_bytes(int64_t bytes) {
    void *memory = NULL;
    if (posix_memalign(&memory, 64, (size_t)bytes)) {
        fail("no memory");
    }
    memset(memory, 1, (size_t)bytes);
    return memory;
}

/* Weights for the sound call, in memory of just their size. */
static void *pack_floats(shrike_conv2d_f32_params *p) {
    const float oihw[24] = {1, 2, 3};
    p->weights_bounds = (shrike_bounds){0, shrike_conv2d_f32_packed_size(p) * (int64_t)sizeof(float)};
    float *packed = allocate_bytes(p->weights_bounds.after);
    expect_status(SHRIKE_OK, shrike_conv2d_f32_pack(p, oihw, sizeof oihw, packed, p->weights_bounds.after), "pack");
    p->weights = packed;
    return packed;
}

/* Likewise; null where no kernel of the kind that is asked for takes the sizes. */
static void *pack_codes(shrike_context *context, shrike_conv2d_q_params *p, void **workspace) {
    const int8_t oihw[24] = {0};
    const int64_t bytes = shrike_conv2d_q_packed_size(context, p), wanted = shrike_conv2d_q_workspace(context, p);
    if (bytes < 0) {
        return NULL;
    }
    void *packed = allocate_bytes(bytes);
    expect_status(SHRIKE_OK, shrike_conv2d_q_pack(context, p, oihw, sizeof oihw, NULL, 0, packed, bytes), "pack");
    p->weights = packed;
    p->weights_bounds = (shrike_bounds){0, bytes};
    p->workspace = *workspace = allocate_bytes(wanted);
    p->workspace_bounds = (shrike_bounds){0, wanted};
    p->table = p->output == SHRIKE_QOUT_CODES && pick(0, 1) ? p->table : NULL;
    p->thresholds = NULL;
    return packed;
}

/* Makes one to three numbers odd ones. */
static void change_numbers(const operation *o, params *p) {
    const size_t first = 6 * (size_t)o->pointers, count = o->size / sizeof(int32_t);
    for (int64_t i = pick(1, 3); i > 0; i--) {
        size_t at = (size_t)pick((int64_t)first, (int64_t)count - 1);
        size_t size = at % 2 == 0 && at + 1 < count && pick(0, 1) ? sizeof(int64_t) : sizeof(int32_t);
        at *= sizeof(int32_t);
        put_number(p, at, size, odd(number_at(p, at, size)));
    }
}

static int run_case(shrike_context *context, const operation *o) {
    params p = {{0}};
    void *memory[MAX_POINTERS] = {NULL}, *packed = NULL, *workspace = NULL;
    shrike_bounds bounds[MAX_POINTERS];
    const shrike_code_range range = {0.5f, 7};
    o->make(p.bytes);
    for (int i = 0; i < o->pointers; i++) {
        /* Enough for 48 floats or a table of 256 codes; a view may begin within its buffer. */
        bounds[i] = (shrike_bounds){pick(0, 3) ? 0 : 64, 256};
        memory[i] = allocate_bytes(bounds[i].before + bounds[i].after);
        memcpy((char *)memory[i] + bounds[i].before, &range, sizeof range);
        put_pointer(&p, i, (char *)memory[i] + bounds[i].before);
    }
    const size_t bounds_at = sizeof(void *) * (size_t)o->pointers;
    memcpy(p.bytes + bounds_at, bounds, sizeof *bounds * (size_t)o->pointers);
    if (o->run == run_conv2d_f32) {
        packed = pack_floats((shrike_conv2d_f32_params *)p.bytes);
    } else if (o->run == run_conv2d_q) {
        packed = pack_codes(context, (shrike_conv2d_q_params *)p.bytes, &workspace);
    }
    if (pick(0, 3)) {
        change_numbers(o, &p);
    }
    const int which = (int)pick(0, o->pointers - 1);
    if (pick(0, 9) == 0) {
        const size_t after = bounds_at + sizeof(shrike_bounds) * (size_t)which + offsetof(shrike_bounds, after);
        put_number(&p, after, sizeof(int64_t), pick(0, 1) ? pick(0, 255) : pick(INT64_MIN / 2, 0));
    } else if (pick(0, 9) == 0) {
        put_pointer(&p, which, NULL);
    }
    const int wide = o->work && o->work(p.bytes) >= WIDE;
    const int32_t status = wide ? SHRIKE_EINVAL : o->run(context, p.bytes);
    for (int i = 0; i < o->pointers; i++) {
        free(memory[i]);
    }
    free(packed);
    free(workspace);
    if (status != SHRIKE_OK && status != SHRIKE_EINVAL && status != SHRIKE_EUNSUPPORTED) {
        fail("status %d", status);
    }
    return status == SHRIKE_OK;
}

int main(void) {
    start_tests(20261101);
    tier tiers[MAX_TIERS];
    int count = create_tiers(tiers), done[OPERATIONS] = {0};
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < OPERATIONS; i++) {
            describe("round %d, %s", round, operations[i].name);
            done[i] += run_case(tiers[pick(0, count - 1)].context, &operations[i]);
        }
    }
    for (int i = 0; i < OPERATIONS; i++) {
        printf("%s: %d of %d calls done, the rest refused\n", operations[i].name, done[i], ROUNDS);
        if (done[i] < ROUNDS / 20 || done[i] > ROUNDS * 19 / 20) {
            fail("%s: %d calls done", operations[i].name, done[i]);
        }
    }
    destroy_tiers(tiers, count);
    puts("ok");
    return 0;
}
