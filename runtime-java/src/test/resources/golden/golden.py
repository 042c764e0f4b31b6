#!/usr/bin/env python3
"""Computes the golden values of GoldenTest and GoldenDetectorTest: python3 golden.py [FOLDER].

Plain Python in float64, written from the definitions (YOLOv5 v6.1 letterbox, Detect and non_max_suppression; the
distribution focal loss head of YOLOv8; bilinear interpolation between pixel centres), with nothing of Shrike. Stops if
a result lies so near to a threshold that float32 might decide otherwise.
"""
import hashlib
import math
import pathlib
import sys

FOLDER = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
CONFIDENCE, IOU, MARGIN = 0.25, 0.45, 2e-4
ANCHORS = [[10, 13, 16, 30, 33, 23], [30, 61, 62, 45, 59, 119], [116, 90, 156, 198, 373, 326]]
CLASSES = 2


class Generator:
    """Numerical Recipes' linear congruential generator: the upper 24 bits as a fraction."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state * 1664525 + 1013904223) % 2**32
        return (self.state >> 8) / 2**24


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def write(name, lines):
    (FOLDER / name).write_text("".join(line + "\n" for line in lines))


# --- letterbox ---------------------------------------------------------------------------------------------------

def pixel(x, y, channel):
    """Red, green and blue of a smooth image, 0 to 255."""
    return (3 * x + 5 * y + 60 * channel) % 512 if (3 * x + 5 * y + 60 * channel) % 512 < 256 \
        else 511 - (3 * x + 5 * y + 60 * channel) % 512


def letterbox(width, height, side):
    ratio = min(side / width, side / height)
    inner_width, inner_height = round(width * ratio), round(height * ratio)
    left, top = round((side - inner_width) / 2 - 0.1), round((side - inner_height) / 2 - 0.1)
    planes = [[[114.0] * side for _ in range(side)] for _ in range(3)]
    for channel in range(3):
        for y in range(inner_height):
            for x in range(inner_width):
                fx = min(max((x + 0.5) * width / inner_width - 0.5, 0), width - 1)
                fy = min(max((y + 0.5) * height / inner_height - 0.5, 0), height - 1)
                x0, y0 = int(fx), int(fy)
                x1, y1 = min(x0 + 1, width - 1), min(y0 + 1, height - 1)
                wx, wy = fx - x0, fy - y0
                planes[channel][top + y][left + x] = (
                    (pixel(x0, y0, channel) * (1 - wx) + pixel(x1, y0, channel) * wx) * (1 - wy)
                    + (pixel(x0, y1, channel) * (1 - wx) + pixel(x1, y1, channel) * wx) * wy)
    return planes


def letterboxes():
    lines = []
    for width, height in [(64, 40), (40, 64), (64, 64), (96, 60), (33, 57), (200, 131), (20, 31)]:
        planes = letterbox(width, height, 64)
        whole = all(value == int(value) for plane in planes for row in plane for value in row)
        content = bytes(int(value) for plane in planes for row in plane for value in row) if whole else b""
        digest = hashlib.sha256(content).hexdigest() if whole else "-"
        mean = sum(value for plane in planes for row in plane for value in row) / (3 * 64 * 64)
        samples = [f"{planes[c][y][x]:.3f}" for c in range(3) for y in range(2, 64, 12) for x in range(3, 64, 12)]
        lines.append(" ".join([str(width), str(height), digest, f"{mean:.4f}"] + samples))
    write("letterbox.txt", lines)


# --- heads -------------------------------------------------------------------------------------------------------

def decode_yolov5(heads):
    """Boxes of heads[h][anchor * 7 + value][y][x]."""
    boxes = []
    for h, head in enumerate(heads):
        side = len(head[0])
        stride = 64 // side
        for anchor in range(3):
            for y in range(side):
                for x in range(side):
                    s = [sigmoid(head[anchor * (5 + CLASSES) + i][y][x]) for i in range(5 + CLASSES)]
                    scores = [s[4] * value for value in s[5:]]
                    best = max(range(CLASSES), key=lambda c: scores[c])
                    centre = (2 * s[0] - 0.5 + x) * stride, (2 * s[1] - 0.5 + y) * stride
                    size = 4 * s[2] ** 2 * ANCHORS[h][2 * anchor], 4 * s[3] ** 2 * ANCHORS[h][2 * anchor + 1]
                    boxes.append((scores[best], best, centre[0] - size[0] / 2, centre[1] - size[1] / 2,
                                  centre[0] + size[0] / 2, centre[1] + size[1] / 2, scores))
    return boxes


def decode_yolov8(heads):
    boxes = []
    for head in heads:
        side = len(head[0])
        stride = 64 // side
        for y in range(side):
            for x in range(side):
                distances = []
                for edge in range(4):
                    weights = [math.exp(head[16 * edge + i][y][x]) for i in range(16)]
                    distances.append(sum(i * w for i, w in enumerate(weights)) / sum(weights))
                scores = [sigmoid(head[64 + c][y][x]) for c in range(CLASSES)]
                best = max(range(CLASSES), key=lambda c: scores[c])
                boxes.append((scores[best], best, (x + 0.5 - distances[0]) * stride, (y + 0.5 - distances[1]) * stride,
                              (x + 0.5 + distances[2]) * stride, (y + 0.5 + distances[3]) * stride, scores))
    return boxes


def overlap(a, b):
    width = min(a[4], b[4]) - max(a[2], b[2])
    height = min(a[5], b[5]) - max(a[3], b[3])
    if width <= 0 or height <= 0:
        return 0
    area = (a[4] - a[2]) * (a[5] - a[3]) + (b[4] - b[2]) * (b[5] - b[3])
    return width * height / (area - width * height)


def clear(condition, what):
    if not condition:
        sys.exit(what + " is too near to a threshold: take another seed")


def suppress(boxes):
    """Greedy, class by class, best first."""
    for box in boxes:
        clear(abs(box[0] - CONFIDENCE) > MARGIN, "a score")
        clear(box[0] < CONFIDENCE or abs(box[6][0] - box[6][1]) > MARGIN, "a class")
    found = sorted((box for box in boxes if box[0] > CONFIDENCE), key=lambda box: -box[0])
    for first, second in zip(found, found[1:]):
        clear(first[0] - second[0] > 1e-5, "an order")
    kept = []
    for box in found:
        overlaps = [overlap(box, other) for other in kept if other[1] == box[1]]
        for value in overlaps:
            clear(abs(value - IOU) > MARGIN, "an overlap")
        if all(value <= IOU for value in overlaps):
            kept.append(box)
    return len(found), kept


def lines_of(boxes):
    return [f"{b[1]} {b[0]:.6f} {b[2]:.4f} {b[3]:.4f} {b[4]:.4f} {b[5]:.4f}" for b in boxes]


def random_heads(seed, channels, value):
    generator = Generator(seed)
    return [[[[value(c, generator.next()) for _ in range(side)] for _ in range(side)] for c in range(channels)]
            for side in (8, 4, 2)]


def heads():
    raw = random_heads(5, 3 * (5 + CLASSES), lambda c, u: 6 * u - (5.6 if c % 7 == 4 else 3))
    candidates, kept = suppress(decode_yolov5(raw))
    write("yolov5-heads.txt", [str(candidates)] + lines_of(kept))
    raw = random_heads(10, 64 + CLASSES, lambda c, u: 6 * u - (3 if c < 64 else 6))
    candidates, kept = suppress(decode_yolov8(raw))
    write("yolov8-heads.txt", [str(candidates)] + lines_of(kept))


# --- a small detector --------------------------------------------------------------------------------------------

# Name, input, kernel, stride, outputs, whether SiLU follows.
LAYERS = [("stem", "images", 6, 2, 8, True), ("p2", "stem", 3, 2, 12, True), ("p3", "p2", 3, 2, 16, True),
          ("p4", "p3", 3, 2, 16, True), ("p5", "p4", 3, 2, 16, True), ("head3", "p3", 1, 1, 21, False),
          ("head4", "p4", 1, 1, 21, False), ("head5", "p5", 1, 1, 21, False)]


def convolution(x, weights, bias, kernel, stride, silu):
    pad = 2 if kernel == 6 else kernel // 2
    height, width = len(x[0]), len(x[0][0])
    rows = (height + 2 * pad - kernel) // stride + 1
    columns = (width + 2 * pad - kernel) // stride + 1
    result = []
    for out, taps in enumerate(weights):
        plane = []
        for row in range(rows):
            line = []
            for column in range(columns):
                total = bias[out]
                for channel, plane_in in enumerate(x):
                    for i in range(kernel):
                        y = row * stride + i - pad
                        if 0 <= y < height:
                            for j in range(kernel):
                                z = column * stride + j - pad
                                if 0 <= z < width:
                                    total += taps[channel][i][j] * plane_in[y][z]
                line.append(total * sigmoid(total) if silu else total)
            plane.append(line)
        result.append(plane)
    return result


def detector():
    generator = Generator(53)
    # Blocks of 8x8 of one colour each, row by row; red, green and blue of one after the other.
    blocks = [[[int(generator.next() * 256) for _ in range(3)] for _ in range(8)] for _ in range(8)]
    values = {"images": [[[blocks[y // 8][x // 8][c] / 255 for x in range(64)] for y in range(64)] for c in range(3)]}
    for name, source, kernel, stride, outputs, silu in LAYERS:
        x = values[source]
        gain = 6 / math.sqrt(len(x) * kernel * kernel)
        weights = [[[[(generator.next() - 0.5) * gain for _ in range(kernel)] for _ in range(kernel)] for _ in x]
                   for _ in range(outputs)]
        # Few objects, so that few candidates suppress each other.
        bias = [generator.next() - (1.5 if name.startswith("head") and out % 7 == 4 else 0.5) for out in range(outputs)]
        values[name] = convolution(x, weights, bias, kernel, stride, silu)
    candidates, kept = suppress(decode_yolov5([values["head3"], values["head4"], values["head5"]]))
    kept = [box[:2] + tuple(min(max(edge, 0), 64) for edge in box[2:6]) for box in kept]
    write("detector.txt", [str(candidates)] + lines_of(kept))


letterboxes()
heads()
detector()
