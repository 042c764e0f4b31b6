/*
 * Thresholds against the formula that they stand for: every sum next to a threshold, the ends of int32 and random sums,
 * for random scales and tables; what is no staircase is refused.
 */
#include "thresholds.h"

#include "test/codes.h"

enum { PROBLEMS = 1000, CHANNELS = 20, SUMS = 60 };

typedef struct output {
    shrike_conv2d_q_params p;
    float multiplier[CHANNELS], offset[CHANNELS];
    uint8_t table[256];
} output;

/* volatile keeps each operation's rounding. */
static int32_t code_of(const output *o, int64_t sum, int32_t oc) {
    volatile float scaled = (float)(int32_t)sum * o->multiplier[oc];
    volatile float value = scaled + o->offset[oc];
    uint8_t code = nearest_code(value, o->p.low, o->p.high);
    return o->p.table ? o->table[code] : code;
}

static void make_output(output *o, int32_t falls, int32_t rises) {
    memset(o, 0, sizeof *o);
    int32_t code = (int32_t)pick(falls, 255 - rises);
    o->p.out_channels = (int32_t)pick(1, CHANNELS);
    o->p.high = (int32_t)pick(falls + rises, 255);
    for (int32_t i = 0, left = o->p.high; i < 256; i++, left--) {
        o->table[i] = (uint8_t)code;
        int step = falls + rises > 0 && (left <= falls + rises || pick(0, 20) == 0);
        code += step ? (falls > 0 ? -1 : 1) : 0;
        falls -= step && falls > 0;
        rises -= step && code > o->table[i];
    }
    for (int32_t oc = 0; oc < o->p.out_channels; oc++) {
        float tiny = random_float(0, 1e-3f), usual = random_float(0, 2), huge = 1e30f;
        o->multiplier[oc] = pick(0, 9) == 0 ? (pick(0, 1) ? 0 : huge) : pick(0, 1) ? tiny : usual;
        o->offset[oc] = pick(0, 9) == 0 ? (float)pick(-300, 300) + 0.5f : random_float(-300, 300);
    }
    o->p.multiplier = o->multiplier;
    o->p.offset = o->offset;
    o->p.table = o->table;
    o->p.multiplier_bounds = WHOLE_ARRAY(o->multiplier);
    o->p.offset_bounds = WHOLE_ARRAY(o->offset);
    o->p.table_bounds = WHOLE_ARRAY(o->table);
}

static void check(const output *o, const conv2d_q_thresholds *t, int32_t oc, int64_t sum) {
    if (sum < INT32_MIN || sum >= INT32_MAX) {
        return;
    }
    int64_t stride = conv2d_q_thresholds_stride(o->p.out_channels);
    int32_t code = t->start;
    for (int32_t i = 0; i < t->count; i++) {
        code += sum >= t->values[i * stride + oc] ? (i < t->falls ? -1 : 1) : 0;
    }
    if (code != code_of(o, sum, oc)) {
        fail("channel %d, sum %lld: %d by thresholds, %d by the formula", oc, (long long)sum, code,
             code_of(o, sum, oc));
    }
}

static void check_problem(codes memory) {
    int32_t falls = (int32_t)(pick(0, 2) ? 0 : pick(0, 4)), rises = (int32_t)pick(0, 8 - falls);
    output o;
    make_output(&o, falls, rises);
    describe("%d falls, %d rises, codes up to %d, %d channels", falls, rises, o.p.high, o.p.out_channels);
    conv2d_q_thresholds *t = (conv2d_q_thresholds *)memory.data;
    expect_status(SHRIKE_OK, shrike_conv2d_q_thresholds(&o.p, t, memory.count), "a staircase");
    if (t->falls != falls || t->count != falls + rises) {
        fail("found %d falls of %d steps", t->falls, t->count);
    }
    int64_t stride = conv2d_q_thresholds_stride(o.p.out_channels);
    for (int32_t oc = 0; oc < o.p.out_channels; oc++) {
        check(&o, t, oc, INT32_MIN);
        check(&o, t, oc, INT32_MAX - 1);
        for (int32_t i = 0; i < t->count; i++) {
            for (int64_t near = -2; near <= 2; near++) {
                check(&o, t, oc, t->values[i * stride + oc] + near);
            }
        }
        for (int i = 0; i < SUMS; i++) {
            check(&o, t, oc, pick(-(INT64_C(1) << pick(0, 31)), INT64_C(1) << pick(0, 31)));
        }
    }
}

static void check_refusals(codes memory) {
    output o;
    describe("refusals");
    make_output(&o, 0, 3);
    expect_status(SHRIKE_OK, shrike_conv2d_q_thresholds(&o.p, memory.data, memory.count), "a staircase");
#define REFUSE(status, change)                                                                                         \
    do {                                                                                                               \
        output bad = o;                                                                                                \
        bad.p.multiplier = bad.multiplier;                                                                             \
        bad.p.offset = bad.offset;                                                                                     \
        bad.p.table = bad.table;                                                                                       \
        bad.change;                                                                                                    \
        expect_status(status, shrike_conv2d_q_thresholds(&bad.p, memory.data, memory.count), #change);                 \
    } while (0)
    REFUSE(SHRIKE_EINVAL, p.multiplier = NULL);
    REFUSE(SHRIKE_EINVAL, p.offset = NULL);
    REFUSE(SHRIKE_EINVAL, p.out_channels = 0);
    REFUSE(SHRIKE_EINVAL, p.low = -1);
    REFUSE(SHRIKE_EINVAL, p.high = 256);
    REFUSE(SHRIKE_EINVAL, p.low = o.p.high + 1);
    REFUSE(SHRIKE_EINVAL, p.out_channels = CHANNELS + 1);
    REFUSE(SHRIKE_EINVAL, p.multiplier_bounds.after = 0);
    REFUSE(SHRIKE_EINVAL, p.offset_bounds.after = -1);
    REFUSE(SHRIKE_EINVAL, p.table_bounds.after = 255);
    REFUSE(SHRIKE_EUNSUPPORTED, p.output = SHRIKE_QOUT_REAL);
    REFUSE(SHRIKE_EUNSUPPORTED, multiplier[0] = -1);
    REFUSE(SHRIKE_EUNSUPPORTED, multiplier[0] = NAN);
    REFUSE(SHRIKE_EUNSUPPORTED, multiplier[0] = INFINITY);
    REFUSE(SHRIKE_EUNSUPPORTED, offset[0] = NAN);
    REFUSE(SHRIKE_EUNSUPPORTED, offset[0] = -INFINITY);
    REFUSE(SHRIKE_EUNSUPPORTED, table[o.p.high] = (uint8_t)(o.table[o.p.high] > 99 ? 0 : 255)); /* many steps */
    expect_status(SHRIKE_EINVAL, shrike_conv2d_q_thresholds(NULL, memory.data, memory.count), "no params");
    expect_status(SHRIKE_EINVAL, shrike_conv2d_q_thresholds(&o.p, NULL, memory.count), "no memory");
    expect_status(SHRIKE_EINVAL, shrike_conv2d_q_thresholds(&o.p, memory.data + 1, memory.count - 1),
                  "memory that is not aligned");
    expect_status(SHRIKE_EINVAL, shrike_conv2d_q_thresholds(&o.p, memory.data, 16), "memory that is too small");
    if (shrike_conv2d_q_thresholds_size(0) != -1 || shrike_conv2d_q_thresholds_size(CHANNELS) != memory.count) {
        fail("the size of thresholds");
    }
    output valley;
    make_output(&valley, 0, 0);
    valley.p.high = 2;
    valley.table[0] = valley.table[2] = 7;
    valley.table[1] = 6;
    expect_status(SHRIKE_OK, shrike_conv2d_q_thresholds(&valley.p, memory.data, memory.count), "down, then up");
    valley.table[1] = 8;
    expect_status(SHRIKE_EUNSUPPORTED, shrike_conv2d_q_thresholds(&valley.p, memory.data, memory.count),
                  "up, then down");
}

int main(void) {
    start_tests(20260203);
    codes memory = random_codes(shrike_conv2d_q_thresholds_size(CHANNELS), 0, 255);
    check_refusals(memory);
    for (int i = 0; i < PROBLEMS; i++) {
        check_problem(memory);
    }
    release_codes(memory);
    printf("%d problems: ok\n", PROBLEMS);
    return 0;
}
