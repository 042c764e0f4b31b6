package dev.shrike.sources;

import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.bytedeco.ffmpeg.avcodec.AVCodec;
import org.bytedeco.ffmpeg.avcodec.AVCodecContext;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avformat.AVFormatContext;
import org.bytedeco.ffmpeg.avformat.AVIOContext;
import org.bytedeco.ffmpeg.avformat.AVOutputFormat;
import org.bytedeco.ffmpeg.avformat.AVStream;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.ffmpeg.avutil.AVRational;
import org.bytedeco.ffmpeg.global.avcodec;
import org.bytedeco.ffmpeg.global.avformat;
import org.bytedeco.ffmpeg.global.avutil;
import org.bytedeco.ffmpeg.global.swscale;
import org.bytedeco.ffmpeg.swscale.SwsContext;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.PointerPointer;

/** Encodes frames into an MP4 file: H.264 by OpenH264, or else MPEG-4 part 2. Confined to one thread. */
final class FfmpegOutput implements AutoCloseable {
    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    private static final int TICKS = 1_000;
    private static final int NOMINAL_RATE = 25;
    private static final double BITS_PER_PIXEL = 0.12;
    private static final int PLANES = 8;

    private final PointerPointer<?> sourceData = new PointerPointer<>(PLANES);
    private final IntPointer sourceStrides = new IntPointer((long) PLANES);
    private AVFormatContext format;
    private AVCodecContext encoder;
    private AVStream video;
    private AVFrame frame;
    private AVPacket packet;
    private SwsContext scaler;
    private PointerPointer<?> frameData;
    private IntPointer frameStrides;
    private boolean headed;
    private long lastTick = -1;

    private FfmpegOutput() {}

    /** Makes the file and writes its head. Odd sizes become even, which the codecs want. */
    static FfmpegOutput create(String path, int width, int height) throws FfmpegException {
        FfmpegOutput output = new FfmpegOutput();
        try {
            output.open(path, (width + 1) / 2 * 2, (height + 1) / 2 * 2);
            return output;
        } catch (FfmpegException | RuntimeException | Error e) {
            output.close();
            throw e;
        }
    }

    private void open(String path, int width, int height) throws FfmpegException {
        format = new AVFormatContext(null);
        int status = avformat.avformat_alloc_output_context2(format, (AVOutputFormat) null, "mp4", path);
        if (status < 0) {
            format = null;
            check(status);
        }
        if (!openEncoder("libopenh264", width, height) && !openEncoder("mpeg4", width, height)) {
            throw new FfmpegException(FfmpegException.Kind.OTHER,
                    "no encoder takes frames of " + width + "x" + height);
        }
        video = avformat.avformat_new_stream(format, null);
        check(avcodec.avcodec_parameters_from_context(video.codecpar(), encoder));
        video.time_base(encoder.time_base());
        AVIOContext file = new AVIOContext(null);
        check(avformat.avio_open(file, path, avformat.AVIO_FLAG_WRITE));
        format.pb(file);
        AVDictionary none = new AVDictionary(null);
        check(avformat.avformat_write_header(format, none));
        headed = true;
        frame = avutil.av_frame_alloc();
        frame.format(avutil.AV_PIX_FMT_YUV420P);
        frame.width(width);
        frame.height(height);
        check(avutil.av_frame_get_buffer(frame, 0));
        frameData = frame.data();
        frameStrides = frame.linesize();
        packet = avcodec.av_packet_alloc();
    }

    private boolean openEncoder(String name, int width, int height) {
        AVCodec codec = avcodec.avcodec_find_encoder_by_name(name);
        if (codec == null || codec.isNull()) {
            return false;
        }
        encoder = avcodec.avcodec_alloc_context3(codec);
        encoder.width(width);
        encoder.height(height);
        encoder.pix_fmt(avutil.AV_PIX_FMT_YUV420P);
        encoder.time_base(new AVRational().num(1).den(TICKS));
        encoder.framerate(new AVRational().num(NOMINAL_RATE).den(1));
        encoder.bit_rate(Math.max(200_000, Math.round(BITS_PER_PIXEL * width * height * NOMINAL_RATE)));
        encoder.gop_size(2 * NOMINAL_RATE);
        encoder.colorspace(avutil.AVCOL_SPC_SMPTE170M);
        encoder.color_range(avutil.AVCOL_RANGE_MPEG);
        encoder.flags(encoder.flags() | avcodec.AV_CODEC_FLAG_GLOBAL_HEADER);
        if (avcodec.avcodec_open2(encoder, codec, (PointerPointer<?>) null) < 0) {
            avcodec.avcodec_free_context(encoder);
            encoder = null;
            return false;
        }
        return true;
    }

    /** Name of the encoder. */
    String encoderName() {
        return encoder.codec().name().getString();
    }

    /**
     * Adds a frame.
     *
     * @param nanos its time since the first; one that is not later than the last is put a tick behind it
     */
    void write(Frame given, long nanos) throws FfmpegException {
        check(avutil.av_frame_make_writable(frame));
        convert(given);
        lastTick = Math.max(lastTick + 1, Math.round(nanos * (TICKS / 1e9)));
        frame.pts(lastTick);
        check(avcodec.avcodec_send_frame(encoder, frame));
        drain();
    }

    private void convert(Frame given) throws FfmpegException {
        scaler = swscale.sws_getCachedContext(scaler, given.width(), given.height(), pixels(given.format()),
                frame.width(), frame.height(), avutil.AV_PIX_FMT_YUV420P,
                swscale.SWS_BICUBIC | swscale.SWS_ACCURATE_RND, null, null, (DoublePointer) null);
        if (scaler == null || scaler.isNull()) {
            throw new FfmpegException(FfmpegException.Kind.INVALID, given.format() + " cannot be converted");
        }
        long base = given.pixels().address();
        int halfHeight = (given.height() + 1) / 2;
        int halfStride = (given.stride() + 1) / 2;
        long chroma = base + (long) given.stride() * given.height();
        boolean planes = given.format() == PixelFormat.I420;
        long data = sourceData.address();
        MEMORY.set(ValueLayout.JAVA_LONG, data, base);
        MEMORY.set(ValueLayout.JAVA_LONG, data + 8, planes || given.format() == PixelFormat.NV12 ? chroma : 0);
        MEMORY.set(ValueLayout.JAVA_LONG, data + 16, planes ? chroma + (long) halfStride * halfHeight : 0);
        sourceStrides.put(0, given.stride()).put(1, planes ? halfStride : given.stride()).put(2, halfStride);
        check(swscale.sws_scale(scaler, sourceData, sourceStrides, 0, given.height(), frameData, frameStrides));
    }

    private static int pixels(PixelFormat format) throws FfmpegException {
        return switch (format) {
            case BGR -> avutil.AV_PIX_FMT_BGR24;
            case RGB -> avutil.AV_PIX_FMT_RGB24;
            case GREY -> avutil.AV_PIX_FMT_GRAY8;
            case YUYV -> avutil.AV_PIX_FMT_YUYV422;
            case UYVY -> avutil.AV_PIX_FMT_UYVY422;
            case NV12 -> avutil.AV_PIX_FMT_NV12;
            case I420 -> avutil.AV_PIX_FMT_YUV420P;
            case MJPEG -> throw new FfmpegException(FfmpegException.Kind.INVALID, "a JPEG must be decoded first");
        };
    }

    /** Writes what the encoder has ready. */
    private void drain() throws FfmpegException {
        while (true) {
            int status = avcodec.avcodec_receive_packet(encoder, packet);
            if (status == avutil.AVERROR_EAGAIN() || status == avutil.AVERROR_EOF()) {
                return;
            }
            check(status);
            avcodec.av_packet_rescale_ts(packet, encoder.time_base(), video.time_base());
            packet.stream_index(video.index());
            check(avformat.av_interleaved_write_frame(format, packet));
        }
    }

    /** Writes the rest and the index; without it the file cannot be played. */
    void finish() throws FfmpegException {
        check(avcodec.avcodec_send_frame(encoder, null));
        drain();
        headed = false;
        check(avformat.av_write_trailer(format));
    }

    private static void check(int status) throws FfmpegException {
        if (status < 0) {
            byte[] text = new byte[128];
            avutil.av_strerror(status, text, text.length);
            throw new FfmpegException(FfmpegException.Kind.OTHER, FfmpegException.words(text));
        }
    }

    @Override
    public void close() {
        if (scaler != null) {
            swscale.sws_freeContext(scaler);
            scaler = null;
        }
        if (frame != null) {
            avutil.av_frame_free(frame);
            frame = null;
        }
        if (packet != null) {
            avcodec.av_packet_free(packet);
            packet = null;
        }
        if (encoder != null) {
            avcodec.avcodec_free_context(encoder);
            encoder = null;
        }
        if (format != null) {
            if (headed) {
                int ignored = avformat.av_write_trailer(format);
            }
            if (format.pb() != null) {
                avformat.avio_close(format.pb());
            }
            avformat.avformat_free_context(format);
            format = null;
        }
        sourceData.close();
        sourceStrides.close();
    }
}
