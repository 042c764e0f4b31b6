/*
 * Picks the candidates of one image out of the output of a YOLO network on the GPU, by the rules of the decoders on
 * the processor: one thread a box, each candidate to the next free place of a list. Threads take places in any order, so
 * whoever reads the list sorts it. All that is computed is score = value * objectness, one rounding: so candidates have
 * the bits that the processor would find.
 *
 * head: values of box b at b * box_stride, value_stride apart: x, y, width, height, objectness if there is one, scores.
 * wanted: bit c of it says whether class c counts.
 * found: [0] number of candidates, which goes on counting beyond the capacity; [1] set where the processor has to look
 * itself, since a value that it would look at is NaN or infinite; from [2] on the candidates, seven words each: box,
 * class, score, x, y, width, height. Whoever launches this sets [0] and [1] to zero before.
 */
#define CANDIDATE_WORDS 7

/* By the bits: x - x == 0 may become a fused multiply-add of x's own factors, which is not zero. */
static __device__ int is_finite(float x) {
    return (__float_as_int(x) & 0x7f800000) != 0x7f800000;
}

static __device__ void put(int *found, int capacity, int box, int class_id, float score, const float *values,
                           int value_stride) {
    int place = atomicAdd(found, 1);
    if (place < capacity) {
        int *words = found + 2 + (long long)place * CANDIDATE_WORDS;
        words[0] = box;
        words[1] = class_id;
        words[2] = __float_as_int(score);
        for (int i = 0; i < 4; i++) {
            words[3 + i] = __float_as_int(values[(long long)i * value_stride]);
        }
    }
}

extern "C" __global__ void candidates(const float *head, int boxes, int classes, int box_stride, int value_stride,
                                      int has_objectness, float confidence, int multi_label, const int *wanted,
                                      int capacity, int *found) {
    int box = blockIdx.x * blockDim.x + threadIdx.x;
    if (box >= boxes) {
        return;
    }
    const float *values = head + (long long)box * box_stride;
    const float *scores = values + (long long)(has_objectness ? 5 : 4) * value_stride;
    float objectness = has_objectness ? values[4LL * value_stride] : 1.0f;
    if (has_objectness && !(objectness > confidence)) {
        if (!is_finite(objectness)) {
            found[1] = 1;
        }
        return;
    }
    int best_class = 0, finite = 1;
    float best = scores[0] * objectness;
    for (int c = 0; c < classes; c++) {
        float score = scores[(long long)c * value_stride] * objectness;
        finite &= is_finite(score);
        if (score > best) {
            best = score;
            best_class = c;
        }
    }
    if (has_objectness || best > confidence) {
        for (int i = 0; i < 4; i++) {
            finite &= is_finite(values[(long long)i * value_stride]);
        }
    }
    if (!finite) {
        found[1] = 1;
        return;
    }
    if (!multi_label) {
        if (best > confidence && (wanted[best_class >> 5] >> (best_class & 31) & 1)) {
            put(found, capacity, box, best_class, best, values, value_stride);
        }
        return;
    }
    for (int c = 0; c < classes; c++) {
        float score = scores[(long long)c * value_stride] * objectness;
        if (score > confidence && (wanted[c >> 5] >> (c & 31) & 1)) {
            put(found, capacity, box, c, score, values, value_stride);
        }
    }
}
