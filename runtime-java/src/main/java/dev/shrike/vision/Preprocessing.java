package dev.shrike.vision;

/** How a family of networks wants its images: what a pixel becomes, and where the image lies in the input. */
public enum Preprocessing {
    /** RGB from 0 to 1, the image in the middle of grey 114: YOLOv5, YOLOv8 and their kin. */
    YOLO(1 / 255.0, true, true),
    /** BGR from 0 to 255, the image at the left and top of grey 114: YOLOX from 0.2 on. */
    YOLOX(1, false, false);

    private static final int GREY = 114;

    private final double scale;
    private final boolean redFirst;
    private final boolean centred;

    Preprocessing(double scale, boolean redFirst, boolean centred) {
        this.scale = scale;
        this.redFirst = redFirst;
        this.centred = centred;
    }

    /** For people: {@code "RGB from 0 to 1, in the middle"}. */
    public String describe() {
        return this == YOLO ? "RGB from 0 to 1, in the middle of grey"
                : "BGR from 0 to 255, at the left and top of grey";
    }

    /** What a byte is multiplied with. */
    double scale() {
        return scale;
    }

    /** What is written around the image. */
    float grey() {
        return this == YOLO ? GREY / 255f : GREY;
    }

    /** Whether the channels are red, green, blue, or in the order of a {@link dev.shrike.Frame}. */
    boolean redFirst() {
        return redFirst;
    }

    /** Whether the image lies in the middle, or at the left and top. */
    boolean centred() {
        return centred;
    }

    /** Pixels of the input that a side of a frame takes: rounded as in YOLOv5, cut off as in YOLOX. */
    int inner(int frameSide, double ratio, int inputSide) {
        double exact = frameSide * ratio;
        return Math.clamp((int) (centred ? Math.rint(exact) : Math.floor(exact)), 1, inputSide);
    }
}
