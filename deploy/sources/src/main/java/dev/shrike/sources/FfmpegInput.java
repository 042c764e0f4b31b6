package dev.shrike.sources;

import static org.bytedeco.ffmpeg.global.avutil.AVMEDIA_TYPE_VIDEO;
import static org.bytedeco.ffmpeg.global.avutil.AV_NOPTS_VALUE;

import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import dev.shrike.vision.Images;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import org.bytedeco.ffmpeg.avcodec.AVCodec;
import org.bytedeco.ffmpeg.avcodec.AVCodecContext;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avcodec.AVProducerReferenceTime;
import org.bytedeco.ffmpeg.avformat.AVFormatContext;
import org.bytedeco.ffmpeg.avformat.AVInputFormat;
import org.bytedeco.ffmpeg.avformat.AVStream;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.ffmpeg.avutil.AVPixFmtDescriptor;
import org.bytedeco.ffmpeg.avutil.AVRational;
import org.bytedeco.ffmpeg.global.avcodec;
import org.bytedeco.ffmpeg.global.avformat;
import org.bytedeco.ffmpeg.global.avutil;
import org.bytedeco.ffmpeg.global.swscale;
import org.bytedeco.ffmpeg.swscale.SwsContext;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * The video of a stream or file, decoded frame by frame. With {@link FfmpegOutput} the only class that sees FFmpeg's
 * types. Confined to one thread. In the steady state reading makes no garbage but for streams with RTCP reports: fields
 * that would be wrapped in an object are read by their address.
 */
final class FfmpegInput implements AutoCloseable {
    /** Microseconds between 1970 and now that stand for no time. */
    static final long NO_TIME = Long.MIN_VALUE;
    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    private static final AVRational MICROSECONDS = new AVRational().num(1).den(1_000_000);
    private static final int PLANES = 8;

    private final InterruptFlag interrupt;
    private AVFormatContext format;
    private AVCodecContext decoder;
    private AVPacket packet;
    private AVFrame frame;
    private PointerPointer<?> frameData;
    private IntPointer frameStrides;
    private SwsContext scaler;
    private PointerPointer<?> targetData;
    private IntPointer targetStrides;
    private AVRational timeBase;
    private int stream;
    private boolean draining;
    private boolean sent;
    private long refused;
    private String decoderName = "";
    private boolean keepsOpaque = true;
    /** Capture time of the packet that was sent last. */
    private long sentNanos;

    private FfmpegInput(InterruptFlag interrupt) {
        this.interrupt = interrupt;
    }

    /**
     * Opens the first video of a stream or file.
     *
     * @param uri as FFmpeg takes it; never shown
     * @param settings of demuxer and protocol
     * @param analyse whether to read ahead for what the container does not say
     * @param wantedDecoder is tried first; empty for what {@link Decoders} says
     * @param threads that decode; frames are not delayed by them if there is one
     * @param interrupt ends every call; stays the caller's, and open until this is closed
     */
    static FfmpegInput open(String uri, Map<String, String> settings, boolean analyse, String wantedDecoder,
            int threads, InterruptFlag interrupt) throws FfmpegException {
        FfmpegInput input = new FfmpegInput(interrupt);
        try {
            input.connect(uri, settings, analyse);
            input.openDecoder(wantedDecoder, threads);
            return input;
        } catch (FfmpegException | RuntimeException | Error e) {
            input.close();
            throw e;
        }
    }

    private void connect(String uri, Map<String, String> settings, boolean analyse) throws FfmpegException {
        format = avformat.avformat_alloc_context();
        interrupt.install(format.interrupt_callback().address());
        AVDictionary dictionary = new AVDictionary(null);
        settings.forEach((key, value) -> avutil.av_dict_set(dictionary, key, value, 0));
        try {
            int status = avformat.avformat_open_input(format, uri, (AVInputFormat) null, dictionary);
            if (status < 0) {
                // It has freed the context.
                format = null;
                throw failure(status);
            }
        } finally {
            avutil.av_dict_free(dictionary);
        }
        if (analyse) {
            check(avformat.avformat_find_stream_info(format, (PointerPointer<?>) null));
        }
        stream = avformat.av_find_best_stream(format, AVMEDIA_TYPE_VIDEO, -1, -1, (PointerPointer<?>) null, 0);
        if (stream < 0) {
            throw new FfmpegException(FfmpegException.Kind.INVALID, "has no video");
        }
        timeBase = format.streams(stream).time_base();
    }

    private void openDecoder(String wanted, int threads) throws FfmpegException {
        AVStream video = format.streams(stream);
        int codec = video.codecpar().codec_id();
        String format = avcodec.avcodec_get_name(codec).getString();
        if (Decoders.HERE.first(wanted, format, name -> openNamed(name, video, threads)).isEmpty()) {
            AVCodec usual = avcodec.avcodec_find_decoder(codec);
            if (usual == null || usual.isNull() || !openDecoder(usual, video, threads)) {
                throw new FfmpegException(FfmpegException.Kind.INVALID, "has a video for which there is no decoder ("
                        + format + ")");
            }
        }
        packet = avcodec.av_packet_alloc();
        frame = avutil.av_frame_alloc();
        frameData = frame.data();
        frameStrides = frame.linesize();
        targetData = new PointerPointer<>(PLANES);
        targetStrides = new IntPointer((long) PLANES);
    }

    private boolean openNamed(String name, AVStream video, int threads) {
        AVCodec codec = avcodec.avcodec_find_decoder_by_name(name);
        return codec != null && !codec.isNull() && codec.id() == video.codecpar().codec_id()
                && openDecoder(codec, video, threads);
    }

    private boolean openDecoder(AVCodec codec, AVStream video, int threads) {
        decoder = avcodec.avcodec_alloc_context3(codec);
        avcodec.avcodec_parameters_to_context(decoder, video.codecpar());
        decoder.pkt_timebase(video.time_base());
        decoder.thread_count(threads);
        decoder.max_pixels(Images.DEFAULT_MAX_PIXELS);
        if (codec.id() == avcodec.AV_CODEC_ID_MJPEG) {
            // Each frame stands alone, so one that is cut off or damaged is left out rather than made up.
            decoder.err_recognition(AVCodecContext.AV_EF_EXPLODE);
        }
        if (avcodec.avcodec_open2(decoder, codec, (PointerPointer<?>) null) < 0) {
            avcodec.avcodec_free_context(decoder);
            decoder = null;
            return false;
        }
        decoderName = codec.name().getString();
        keepsOpaque = Decoders.keepsOpaque(decoderName);
        return true;
    }

    /**
     * Reads on until a frame is decoded; it stays until the next call.
     *
     * @param clock to tell when what was read was captured
     * @return whether there is one, rather than the end
     */
    boolean read(CaptureClock clock) throws FfmpegException {
        while (true) {
            if (sent || draining) {
                int status = avcodec.avcodec_receive_frame(decoder, frame);
                if (status == 0) {
                    return true;
                }
                if (status == avutil.AVERROR_EOF()) {
                    return false;
                }
                if (draining || status != avutil.AVERROR_EAGAIN()) {
                    check(status);
                }
                sent = false;
            }
            send(clock);
        }
    }

    private void send(CaptureClock clock) throws FfmpegException {
        int status = avformat.av_read_frame(format, packet);
        if (status == avutil.AVERROR_EOF() && !interrupted()) {
            draining = true;
            check(avcodec.avcodec_send_packet(decoder, (AVPacket) null));
            return;
        }
        check(status);
        try {
            if (interrupted()) {
                // The parser gives up the frame that it held back when nothing more came: it is stale by now.
                throw failure(avutil.AVERROR_EXIT());
            }
            if (packet.stream_index() != stream) {
                return;
            }
            sentNanos = clock.capturedNanos(senderMicros());
            decoder.reordered_opaque(sentNanos);
            int accepted = avcodec.avcodec_send_packet(decoder, packet);
            // A damaged packet is the decoder's business: it goes on with the next.
            if (accepted < 0 && accepted != avutil.AVERROR_INVALIDDATA()) {
                check(accepted);
            }
            sent = accepted >= 0;
            refused += sent ? 0 : 1;
        } finally {
            avcodec.av_packet_unref(packet);
        }
    }

    private boolean interrupted() {
        return interrupt.expired() || Thread.currentThread().isInterrupted();
    }

    /** Wall clock of the sender when the packet was made, by RTCP: microseconds since 1970, or {@link #NO_TIME}. */
    private long senderMicros() {
        if (packet.side_data_elems() == 0) {
            return NO_TIME;
        }
        BytePointer data = avcodec.av_packet_get_side_data(packet, avcodec.AV_PKT_DATA_PRFT, null);
        return data == null || data.isNull() ? NO_TIME : new AVProducerReferenceTime(data).wallclock();
    }

    /** When the frame that was read was captured, as the clock said when its packet came. */
    long capturedNanos() {
        return keepsOpaque ? frame.reordered_opaque() : sentNanos;
    }

    /** Time of the frame in the video in microseconds, or {@link #NO_TIME}. */
    long videoMicros() {
        long time = frame.best_effort_timestamp();
        return time == AV_NOPTS_VALUE ? NO_TIME : avutil.av_rescale_q(time, timeBase, MICROSECONDS);
    }

    /** Whether the frame that was read has blocks that the decoder could not decode. */
    boolean damaged() {
        return frame.decode_error_flags() != 0 || (frame.flags() & AVFrame.AV_FRAME_FLAG_CORRUPT) != 0;
    }

    /** Packets that the decoder could make no frame of. */
    long refused() {
        return refused;
    }

    /** Whether the frame that was read needs no other to be decoded. */
    boolean key() {
        return frame.key_frame() != 0;
    }

    int width() {
        return frame.width();
    }

    int height() {
        return frame.height();
    }

    /** Frames a second that the container says, 0 if it does not. */
    double rate() {
        AVRational rate = format.streams(stream).avg_frame_rate();
        if (rate.num() <= 0 || rate.den() <= 0) {
            rate = format.streams(stream).r_frame_rate();
        }
        return rate.num() <= 0 || rate.den() <= 0 ? 0 : (double) rate.num() / rate.den();
    }

    /** Frames that the container says it has, 0 if it does not. */
    long frames() {
        return Math.max(0, format.streams(stream).nb_frames());
    }

    /** Name of the decoder that runs. */
    String decoderName() {
        return decoderName;
    }

    /** The format that {@link #copyTo} wants: planes as they are decoded where a frame can have them. */
    PixelFormat pixelFormat() {
        int pixels = frame.format();
        if (asDecoded(pixels)) {
            return pixels == avutil.AV_PIX_FMT_NV12 ? PixelFormat.NV12
                    : pixels == avutil.AV_PIX_FMT_GRAY8 ? PixelFormat.GREY : PixelFormat.I420;
        }
        AVPixFmtDescriptor description = avutil.av_pix_fmt_desc_get(pixels);
        boolean colours = (description.flags() & (avutil.AV_PIX_FMT_FLAG_RGB | avutil.AV_PIX_FMT_FLAG_PAL)) != 0;
        return colours ? PixelFormat.BGR : PixelFormat.I420;
    }

    private boolean asDecoded(int pixels) {
        boolean limited = frame.color_range() != avutil.AVCOL_RANGE_JPEG;
        return pixels == avutil.AV_PIX_FMT_GRAY8
                || (pixels == avutil.AV_PIX_FMT_YUV420P || pixels == avutil.AV_PIX_FMT_NV12) && limited;
    }

    /** Fills a frame of this size and format. */
    void copyTo(Frame target) throws FfmpegException {
        if (!asDecoded(frame.format())) {
            convertTo(target);
            return;
        }
        int height = target.height();
        copyPlane(0, target, 0, target.stride(), target.width(), height);
        int halfWidth = (target.width() + 1) / 2;
        int halfHeight = (height + 1) / 2;
        long chroma = (long) target.stride() * height;
        if (target.format() == PixelFormat.NV12) {
            copyPlane(1, target, chroma, target.stride(), 2 * halfWidth, halfHeight);
        } else if (target.format() == PixelFormat.I420) {
            int stride = (target.stride() + 1) / 2;
            copyPlane(1, target, chroma, stride, halfWidth, halfHeight);
            copyPlane(2, target, chroma + (long) stride * halfHeight, stride, halfWidth, halfHeight);
        }
    }

    private void copyPlane(int plane, Frame target, long at, int stride, int rowBytes, int rows) {
        long from = MEMORY.get(ValueLayout.JAVA_LONG, frame.address() + 8L * plane);
        int fromStride = frame.linesize(plane);
        if (fromStride == stride && stride == rowBytes) {
            MemorySegment.copy(MEMORY, from, target.pixels(), at, (long) stride * rows);
            return;
        }
        for (int y = 0; y < rows; y++) {
            MemorySegment.copy(MEMORY, from + (long) y * fromStride, target.pixels(), at + (long) y * stride,
                    rowBytes);
        }
    }

    /** Other formats by swscale, colours as BT.601, which is what OpenCV's videos have too. */
    private void convertTo(Frame target) throws FfmpegException {
        int wanted = target.format() == PixelFormat.BGR ? avutil.AV_PIX_FMT_BGR24 : avutil.AV_PIX_FMT_YUV420P;
        scaler = swscale.sws_getCachedContext(scaler, frame.width(), frame.height(), frame.format(), target.width(),
                target.height(), wanted, swscale.SWS_BICUBIC | swscale.SWS_ACCURATE_RND, null, null,
                (DoublePointer) null);
        if (scaler == null || scaler.isNull()) {
            throw new FfmpegException(FfmpegException.Kind.INVALID, "has pixels that cannot be converted");
        }
        if (frame.color_range() == avutil.AVCOL_RANGE_JPEG) {
            IntPointer coefficients = swscale.sws_getCoefficients(swscale.SWS_CS_DEFAULT);
            swscale.sws_setColorspaceDetails(scaler, coefficients, 1, coefficients, 0, 0, 1 << 16, 1 << 16);
        }
        long base = target.pixels().address();
        long chroma = base + (long) target.stride() * target.height();
        int halfStride = (target.stride() + 1) / 2;
        long data = targetData.address();
        MEMORY.set(ValueLayout.JAVA_LONG, data, base);
        MEMORY.set(ValueLayout.JAVA_LONG, data + 8, chroma);
        MEMORY.set(ValueLayout.JAVA_LONG, data + 16, chroma + (long) halfStride * ((target.height() + 1) / 2));
        targetStrides.put(0, target.stride()).put(1, halfStride).put(2, halfStride);
        check(swscale.sws_scale(scaler, frameData, frameStrides, 0, frame.height(), targetData, targetStrides));
    }

    private void check(int status) throws FfmpegException {
        if (status < 0) {
            throw failure(status);
        }
    }

    private FfmpegException failure(int status) {
        if (status == avutil.AVERROR_EXIT() || interrupted()) {
            return new FfmpegException(FfmpegException.Kind.INTERRUPTED, "took too long");
        }
        if (status == avutil.AVERROR_HTTP_UNAUTHORIZED() || status == avutil.AVERROR_HTTP_FORBIDDEN()) {
            return new FfmpegException(FfmpegException.Kind.REFUSED, "user or password is refused");
        }
        if (status == avutil.AVERROR_HTTP_NOT_FOUND()) {
            return new FfmpegException(FfmpegException.Kind.NOT_FOUND, "the server has no such stream");
        }
        byte[] text = new byte[128];
        avutil.av_strerror(status, text, text.length);
        String message = FfmpegException.words(text);
        boolean data = status == avutil.AVERROR_INVALIDDATA() || status == avutil.AVERROR_DEMUXER_NOT_FOUND();
        boolean gone = status == avutil.AVERROR_EOF() || status > -200;
        return new FfmpegException(data ? FfmpegException.Kind.INVALID
                : gone ? FfmpegException.Kind.UNREACHABLE : FfmpegException.Kind.OTHER, message);
    }

    @Override
    public void close() {
        if (scaler != null) {
            swscale.sws_freeContext(scaler);
            scaler = null;
        }
        if (packet != null) {
            avcodec.av_packet_free(packet);
            packet = null;
        }
        if (frame != null) {
            avutil.av_frame_free(frame);
            frame = null;
        }
        if (decoder != null) {
            avcodec.avcodec_free_context(decoder);
            decoder = null;
        }
        if (format != null) {
            avformat.avformat_close_input(format);
            format = null;
        }
        if (targetData != null) {
            targetData.close();
            targetStrides.close();
            targetData = null;
        }
    }
}
