/*
 * letterbox_u8_bench [TIER [THREADS [RUNS]]]: times of fitting frames of every format into inputs of networks, whose
 * channels are planes or lie side by side, per frame and per pixel of the frame and of the image in the input.
 *
 * letterbox_u8_bench count FORMAT WIDTH HEIGHT SIDE: one call between the marks of bench/marks.h, for an emulator that
 * counts instructions; FORMAT is the number of enum shrike_pixel_format.
 */
#include "bench/bench.h"
#include "bench/marks.h"

enum { MAX_SIDE = 1920, FRAME_BYTES = 3 * MAX_SIDE * MAX_SIDE, INPUT_FLOATS = 3 * 640 * 640, RUNS = 50 };

static const char *const formats[] = {"BGR", "RGB", "GREY", "YUYV", "UYVY", "NV12", "I420"};

typedef struct bench {
    shrike_context *context;
    uint8_t *src;
    float *dst;
    int32_t *workspace;
} bench;

static bench create(const char *tier, int threads) {
    bench b = {.context = bench_context(tier, threads)};
    b.src = (uint8_t *)random_floats(FRAME_BYTES / 4, 0, 1);
    b.dst = random_floats(INPUT_FLOATS, 0, 1);
    b.workspace = (int32_t *)random_floats(10 * MAX_SIDE, 0, 1);
    return b;
}

/* A frame in the middle of a square input of planes. */
static shrike_letterbox_u8_f32_params params_of(const bench *b, int format, int width, int height, int side) {
    const double ratio = (double)side / (width > height ? width : height);
    const int64_t row = format <= SHRIKE_PIXELS_RGB                                    ? 3
                        : format == SHRIKE_PIXELS_YUYV || format == SHRIKE_PIXELS_UYVY ? 2
                                                                                       : 1;
    shrike_letterbox_u8_f32_params p = {.src = b->src,
                                        .dst = b->dst,
                                        .workspace = b->workspace,
                                        .src_bounds = bounds_of(FRAME_BYTES),
                                        .dst_bounds = bounds_of(4 * INPUT_FLOATS),
                                        .workspace_bounds = bounds_of(4 * 10 * MAX_SIDE),
                                        .src_row_stride = row * width,
                                        .dst_channel_stride = (int64_t)side * side,
                                        .dst_row_stride = side,
                                        .dst_pixel_stride = 1,
                                        .format = format,
                                        .height = height,
                                        .width = width,
                                        .region_height = height,
                                        .region_width = width,
                                        .out_height = side,
                                        .out_width = side,
                                        .inner_height = (int32_t)(height * ratio + 0.5),
                                        .inner_width = (int32_t)(width * ratio + 0.5),
                                        .red_first = 1,
                                        .scale = 1 / 255.0f,
                                        .fill = 114 / 255.0f};
    p.top = (side - p.inner_height) / 2;
    p.left = (side - p.inner_width) / 2;
    return p;
}

static void call(const bench *b, const shrike_letterbox_u8_f32_params *p) {
    const int32_t status = shrike_letterbox_u8_f32(b->context, p);
    if (status) {
        fprintf(stderr, "letterbox: %s\n", shrike_status_text(status));
        exit(1);
    }
}

/* The three channels of a pixel side by side, as the engine for processors has them. */
static void interleave(shrike_letterbox_u8_f32_params *p) {
    p->dst_channel_stride = 1;
    p->dst_pixel_stride = 3;
    p->dst_row_stride = 3 * (int64_t)p->out_width;
}

static void measure(const bench *b, int format, int width, int height, int side, int interleaved, int runs) {
    shrike_letterbox_u8_f32_params p = params_of(b, format, width, height, side);
    if (interleaved) {
        interleave(&p);
    }
    double times[RUNS];
    call(b, &p);
    for (int i = 0; i < runs; i++) {
        const double start = seconds(b->context);
        call(b, &p);
        times[i] = seconds(b->context) - start;
    }
    qsort(times, (size_t)runs, sizeof *times, compare_times);
    const double median = times[runs / 2];
    printf("%-5s %4dx%-4d in %3d %-6s %9.3f ms %8.3f ns/pixel %8.3f ns/pixel of the input\n", formats[format], width,
           height, side, interleaved ? "pixels" : "planes", 1e3 * median, 1e9 * median / ((double)width * height),
           1e9 * median / ((double)p.inner_width * p.inner_height));
}

static int count(char **arguments) {
    const bench b = create("best", 1);
    const int format = atoi(arguments[0]), width = atoi(arguments[1]), height = atoi(arguments[2]);
    const int side = atoi(arguments[3]);
    if (format < 0 || format >= SHRIKE_PIXELS_COUNT || width < 2 || height < 2 || width > MAX_SIDE ||
        height > MAX_SIDE || side < 1 || side > 640) {
        fprintf(stderr, "letterbox_u8_bench: no such frame\n");
        return 2;
    }
    const shrike_letterbox_u8_f32_params p = params_of(&b, format, width, height, side);
    call(&b, &p);
    MARK(104);
    call(&b, &p);
    MARK(105);
    puts(formats[format]);
    return 0;
}

int main(int argument_count, char **arguments) {
    static const int sizes[][3] = {
        {1920, 1080, 640}, {1920, 1080, 320}, {1280, 720, 640}, {640, 480, 640}, {640, 480, 320}};
    if (argument_count == 6 && !strcmp(arguments[1], "count")) {
        return count(arguments + 2);
    }
    const int threads = argument_count > 2 ? atoi(arguments[2]) : 1;
    int runs = argument_count > 3 ? atoi(arguments[3]) : RUNS;
    runs = runs < 1 || runs > RUNS ? RUNS : runs;
    const bench b = create(argument_count > 1 ? arguments[1] : "best", threads);
    for (size_t size = 0; size < ARRAY_SIZE(sizes); size++) {
        for (int format = 0; format < SHRIKE_PIXELS_COUNT; format++) {
            for (int interleaved = 0; interleaved < 2; interleaved++) {
                measure(&b, format, sizes[size][0], sizes[size][1], sizes[size][2], interleaved, runs);
            }
        }
    }
    shrike_context_destroy(b.context);
    return 0;
}
