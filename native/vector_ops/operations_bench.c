/*
 * operations_bench [TIER [THREADS]]: times of what stands around the convolutions in YOLOv5s at 640 pixels.
 */
#include "bench/bench.h"

enum { RUNS = 200, FLOATS = 1 << 22 };

static const shrike_bounds whole = {0, FLOATS * 4};

typedef struct bench {
    shrike_context *context;
    float *src, *dst;
} bench;

static int32_t pool(const bench *b) {
    shrike_pool2d_f32_params p = {.src = b->src,
                                  .dst = b->dst,
                                  .src_bounds = whole,
                                  .dst_bounds = whole,
                                  .src_batch_stride = 400 * 1024,
                                  .src_row_stride = 20 * 1024,
                                  .src_pixel_stride = 1024,
                                  .dst_batch_stride = 400 * 1024,
                                  .dst_row_stride = 20 * 1024,
                                  .dst_pixel_stride = 1024,
                                  .batch = 1,
                                  .height = 20,
                                  .width = 20,
                                  .channels = 256,
                                  .out_height = 20,
                                  .out_width = 20,
                                  .kernel_height = 5,
                                  .kernel_width = 5,
                                  .stride_height = 1,
                                  .stride_width = 1,
                                  .pad_top = 2,
                                  .pad_left = 2,
                                  .pad_bottom = 2,
                                  .pad_right = 2,
                                  .dilation_height = 1,
                                  .dilation_width = 1};
    return shrike_maxpool2d_f32(b->context, &p);
}

static int32_t resize(const bench *b) {
    shrike_resize2d_f32_params p = {.src = b->src,
                                    .dst = b->dst,
                                    .src_bounds = whole,
                                    .dst_bounds = whole,
                                    .src_batch_stride = 1600 * 128,
                                    .src_row_stride = 40 * 128,
                                    .src_pixel_stride = 128,
                                    .dst_batch_stride = 6400 * 256,
                                    .dst_row_stride = 80 * 256,
                                    .dst_pixel_stride = 256,
                                    .batch = 1,
                                    .height = 40,
                                    .width = 40,
                                    .channels = 128,
                                    .out_height = 80,
                                    .out_width = 80};
    return shrike_resize2d_f32(b->context, &p);
}

static int32_t silu(const bench *b) {
    shrike_unary_f32_params p = {.src = b->src,
                                 .dst = b->dst,
                                 .src_bounds = whole,
                                 .dst_bounds = whole,
                                 .dims = {1 << 20},
                                 .src_strides = {1},
                                 .dst_strides = {1},
                                 .rank = 1,
                                 .kind = SHRIKE_UNARY_SILU};
    return shrike_unary_f32(b->context, &p);
}

static int32_t add(const bench *b) {
    shrike_binary_f32_params p = {.a = b->src,
                                  .b = b->dst,
                                  .dst = b->dst,
                                  .a_bounds = whole,
                                  .b_bounds = whole,
                                  .dst_bounds = whole,
                                  .dims = {1 << 20},
                                  .a_strides = {1},
                                  .b_strides = {1},
                                  .dst_strides = {1},
                                  .rank = 1,
                                  .kind = SHRIKE_BINARY_ADD};
    return shrike_binary_f32(b->context, &p);
}

/* The raw head: [80][80][3][85] as [3][80][80][85]. */
static int32_t transpose_head(const bench *b) {
    shrike_copy_f32_params p = {.src = b->src,
                                .dst = b->dst,
                                .src_bounds = whole,
                                .dst_bounds = whole,
                                .dims = {3, 6400, 85},
                                .src_strides = {85, 255, 1},
                                .dst_strides = {6400 * 85, 85, 1},
                                .rank = 3};
    return shrike_copy_f32(b->context, &p);
}

/* An image from planes to pixels. */
static int32_t transpose_input(const bench *b) {
    shrike_copy_f32_params p = {.src = b->src,
                                .dst = b->dst,
                                .src_bounds = whole,
                                .dst_bounds = whole,
                                .dims = {409600, 3},
                                .src_strides = {1, 409600},
                                .dst_strides = {3, 1},
                                .rank = 2};
    return shrike_copy_f32(b->context, &p);
}

/* YOLOv8's distribution of box edges: softmax over 16 bins of 4 x 8400. */
static int32_t softmax(const bench *b) {
    shrike_softmax_f32_params p = {.src = b->src,
                                   .dst = b->dst,
                                   .src_bounds = whole,
                                   .dst_bounds = whole,
                                   .dims = {8400, 4, 16},
                                   .src_strides = {64, 16, 1},
                                   .dst_strides = {64, 16, 1},
                                   .rank = 3,
                                   .axis = 2};
    return shrike_softmax_f32(b->context, &p);
}

static int32_t matmul(const bench *b) {
    shrike_matmul_f32_params p = {.a = b->src,
                                  .b = b->src,
                                  .dst = b->dst,
                                  .a_bounds = whole,
                                  .b_bounds = whole,
                                  .dst_bounds = whole,
                                  .m = 512,
                                  .n = 512,
                                  .k = 512,
                                  .a_row_stride = 512,
                                  .a_column_stride = 1,
                                  .b_row_stride = 512,
                                  .b_column_stride = 1,
                                  .dst_row_stride = 512,
                                  .dst_column_stride = 1,
                                  .alpha = 1};
    return shrike_matmul_f32(b->context, &p);
}

static const struct {
    const char *name;
    int32_t (*run)(const bench *);
    double work; /* of a call, in the unit */
    const char *unit;
} operations[] = {
    {"maximum 5x5, 20x20x256 of 1024", pool, 400 * 256 * 1e-9, "Gpixel channels/s"},
    {"resize x2 nearest, 40x40x128", resize, 6400 * 128 * 1e-9, "Gfloat/s"},
    {"silu, 1 Mi floats", silu, 1048576e-9, "Gfloat/s"},
    {"add, 1 Mi floats", add, 1048576e-9, "Gfloat/s"},
    {"copy, head 80x80x3x85", transpose_head, 6400 * 255 * 1e-9, "Gfloat/s"},
    {"copy, 3 planes 640x640 to pixels", transpose_input, 409600 * 3 * 1e-9, "Gfloat/s"},
    {"softmax of 33600 x 16", softmax, 33600 * 16 * 1e-9, "Gfloat/s"},
    {"matmul 512 x 512 x 512", matmul, 512.0 * 512 * 512 * 1e-9, "GMAC/s"},
};

int main(int argc, char **argv) {
    bench b = {bench_context(argc > 1 ? argv[1] : "best", argc > 2 ? atoi(argv[2]) : 1), NULL, NULL};
    b.src = random_floats(FLOATS, -1, 1);
    b.dst = random_floats(FLOATS, -1, 1);
    for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
        double times[RUNS];
        for (int run = 0; run < RUNS; run++) {
            double start = seconds(b.context);
            int32_t status = operations[i].run(&b);
            times[run] = seconds(b.context) - start;
            if (status) {
                fprintf(stderr, "%s: %s\n", operations[i].name, shrike_status_text(status));
                return 1;
            }
        }
        qsort(times, RUNS, sizeof *times, compare_times);
        printf("%-36s %9.4f ms (%.4f .. %.4f) %8.2f %s\n", operations[i].name, 1e3 * times[RUNS / 2],
               1e3 * times[RUNS / 4], 1e3 * times[RUNS * 3 / 4], operations[i].work / times[RUNS / 2],
               operations[i].unit);
    }
    free(b.src);
    free(b.dst);
    shrike_context_destroy(b.context);
    return 0;
}
