package dev.shrike.cpu;

import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import dev.shrike.cpu.binding.NativeLibrary;
import dev.shrike.cpu.plan.FrameInput;
import dev.shrike.spi.Binding;
import dev.shrike.spi.LetterboxParams;
import dev.shrike.vision.Letterbox;
import dev.shrike.vision.LetterboxTransform;
import dev.shrike.vision.Preprocessing;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.opencv.global.opencv_core;
import org.bytedeco.opencv.global.opencv_imgproc;
import org.bytedeco.opencv.opencv_core.Mat;

/**
 * The letterbox of libshrike against that of OpenCV: conversion to BGR, resizing, channels, floats.
 *
 * <p>{@code LetterboxBench [--rounds N] [--threads N]}: a row for each format and size with both medians, taken
 * in turn, and the median of their ratios.
 */
public final class LetterboxBench {
    private static final int[][] SIZES = {{1920, 1080, 640}, {1920, 1080, 320}, {1280, 720, 640}, {640, 480, 320}};

    private LetterboxBench() {}

    public static void main(String[] arguments) {
        int rounds = 200;
        int threads = 1;
        for (int i = 0; i + 1 < arguments.length; i += 2) {
            switch (arguments[i]) {
                case "--rounds" -> rounds = Integer.parseInt(arguments[i + 1]);
                case "--threads" -> threads = Integer.parseInt(arguments[i + 1]);
                default -> throw new IllegalArgumentException("usage: LetterboxBench [--rounds N] [--threads N]");
            }
        }
        System.out.printf("%-6s %-16s | %10s %10s %6s%n", "format", "frame", "OpenCV ms", "own ms", "ratio");
        for (int[] size : SIZES) {
            for (PixelFormat format : PixelFormat.values()) {
                if (format != PixelFormat.MJPEG) {
                    compare(format, size, rounds, threads);
                }
            }
        }
    }

    private static void compare(PixelFormat format, int[] size, int rounds, int threads) {
        Frame frame = Frame.allocate(format, size[0], size[1], "");
        byte[] bytes = new byte[Math.toIntExact(frame.bytes())];
        new Random(1).nextBytes(bytes);
        MemorySegment.copy(bytes, 0, frame.pixels(), ValueLayout.JAVA_BYTE, 0, bytes.length);
        int side = size[2];
        NativeLibrary library = CpuBackend.library();
        long context = library.createContext(threads, EngineBits.FEATURES);
        try (Arena arena = Arena.ofShared()) {
            Binding input = new Binding("images", List.of(1, 3, side, side), List.of(3 * side * side, 1, 3 * side, 3),
                    arena.allocate(12L * side * side, 64));
            FrameInput own = FrameInput.of(library, context, arena, List.of(input));
            LetterboxParams how = LetterboxTransform.of(size[0], size[1], side, side)
                    .params(Preprocessing.YOLO, side, side);
            try (OpenCvWay other = new OpenCvWay(frame, input)) {
                opencv_core.setNumThreads(threads);
                double[] times = new double[rounds];
                double[] others = new double[rounds];
                double[] ratios = new double[rounds];
                for (int i = -rounds / 4; i < rounds; i++) {
                    long start = System.nanoTime();
                    other.run();
                    long between = System.nanoTime();
                    own.accept(frame, how);
                    long end = System.nanoTime();
                    if (i >= 0) {
                        others[i] = (between - start) / 1e6;
                        times[i] = (end - between) / 1e6;
                        ratios[i] = times[i] / others[i];
                    }
                }
                System.out.printf("%-6s %4dx%-4d in %3d | %10.3f %10.3f %6.3f%n", format, size[0], size[1], side,
                        median(others), median(times), median(ratios));
            }
        } finally {
            library.destroyContext(context);
        }
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    /** OpenCV's conversion, then the letterbox for BGR. */
    private static final class OpenCvWay implements AutoCloseable {
        private final Letterbox letterbox;
        private final Mat from;
        private final Mat to;
        private final Frame bgr;
        private final int code;

        OpenCvWay(Frame frame, Binding input) {
            letterbox = new Letterbox(input);
            bgr = frame.format() == PixelFormat.BGR ? frame : Frame.allocate(frame.width(), frame.height());
            letterbox.apply(bgr);
            code = switch (frame.format()) {
                case BGR, MJPEG -> -1;
                case RGB -> opencv_imgproc.COLOR_RGB2BGR;
                case GREY -> opencv_imgproc.COLOR_GRAY2BGR;
                case YUYV -> opencv_imgproc.COLOR_YUV2BGR_YUY2;
                case UYVY -> opencv_imgproc.COLOR_YUV2BGR_UYVY;
                case NV12 -> opencv_imgproc.COLOR_YUV2BGR_NV12;
                case I420 -> opencv_imgproc.COLOR_YUV2BGR_I420;
            };
            boolean planes = frame.format() == PixelFormat.NV12 || frame.format() == PixelFormat.I420;
            int channels = frame.stride() / frame.width();
            from = mat(frame, planes ? frame.height() * 3 / 2 : frame.height(), channels);
            to = mat(bgr, bgr.height(), 3);
        }

        private static Mat mat(Frame frame, int rows, int channels) {
            BytePointer pointer = new BytePointer(frame.pixels().asByteBuffer());
            return new Mat(rows, frame.width(), opencv_core.CV_MAKETYPE(opencv_core.CV_8U, channels), pointer);
        }

        void run() {
            if (code >= 0) {
                opencv_imgproc.cvtColor(from, to, code);
            }
            letterbox.apply(bgr);
        }

        @Override
        public void close() {
            letterbox.close();
            from.close();
            to.close();
        }
    }
}
