package dev.shrike.training.torch;

import org.bytedeco.pytorch.Tensor;

/**
 * Complete IoU of boxes (Zheng et al. 2020):
 * {@code CIoU = IoU - d^2 / c^2 - alpha v, v = 4 / pi^2 (atan(w' / h') - atan(w / h))^2, alpha = v / (1 - IoU + v)}
 * with
 * the distance d of the centres and the diagonal c of the smallest box around both. As there, alpha has no gradient.
 */
final class BoxOverlap {
    private static final double EPSILON = 1e-7;

    private BoxOverlap() {}

    /** Boxes as tensors of one shape: centre and size. */
    record Boxes(Tensor x, Tensor y, Tensor width, Tensor height) {
        private Tensor low(Tensor centre, Tensor size) {
            return centre.sub(TensorMath.mul(size, 0.5));
        }

        private Tensor high(Tensor centre, Tensor size) {
            return centre.add(TensorMath.mul(size, 0.5));
        }
    }

    /** CIoU of each pair. */
    static Tensor complete(Boxes a, Boxes b) {
        Tensor innerWidth = TensorMath.atLeast(a.high(a.x(), a.width()).minimum(b.high(b.x(), b.width()))
                .sub(a.low(a.x(), a.width()).maximum(b.low(b.x(), b.width()))), 0);
        Tensor innerHeight = TensorMath.atLeast(a.high(a.y(), a.height()).minimum(b.high(b.y(), b.height()))
                .sub(a.low(a.y(), a.height()).maximum(b.low(b.y(), b.height()))), 0);
        Tensor inner = innerWidth.mul(innerHeight);
        Tensor union = TensorMath.add(a.width().mul(a.height()).add(b.width().mul(b.height())).sub(inner), EPSILON);
        Tensor iou = inner.div(union);
        Tensor outerWidth = a.high(a.x(), a.width()).maximum(b.high(b.x(), b.width()))
                .sub(a.low(a.x(), a.width()).minimum(b.low(b.x(), b.width())));
        Tensor outerHeight = a.high(a.y(), a.height()).maximum(b.high(b.y(), b.height()))
                .sub(a.low(a.y(), a.height()).minimum(b.low(b.y(), b.height())));
        Tensor diagonal = TensorMath.add(outerWidth.square().add(outerHeight.square()), EPSILON);
        Tensor distance = a.x().sub(b.x()).square().add(a.y().sub(b.y()).square());
        Tensor v = TensorMath.mul(angle(b).sub(angle(a)).square(), 4 / (Math.PI * Math.PI));
        Tensor alpha = v.div(TensorMath.add(v.sub(iou), 1 + EPSILON)).detach();
        return iou.sub(distance.div(diagonal)).sub(v.mul(alpha));
    }

    private static Tensor angle(Boxes boxes) {
        return boxes.width().div(TensorMath.add(boxes.height(), EPSILON)).atan();
    }
}
