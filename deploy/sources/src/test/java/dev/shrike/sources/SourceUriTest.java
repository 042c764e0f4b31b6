package dev.shrike.sources;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.SourceException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("any-processor")
class SourceUriTest {
    private static StreamAddress stream(String uri) {
        return assertInstanceOf(SourceUri.Stream.class, SourceUri.parse(uri)).address();
    }

    @ParameterizedTest
    @CsvSource(quoteCharacter = '"', value = {
            "rtsp://cam/live, cam, 0, /live, , , rtsp://cam/live",
            "RTSP://cam:8554, cam, 8554, , , , rtsp://cam:8554",
            "rtsp://me:pass@cam/live, cam, 0, /live, me, pass, rtsp://cam/live",
            "rtsp://me:p@ss@cam:554/live, cam, 554, /live, me, p@ss, rtsp://cam:554/live",
            "rtsp://me:@@@cam/live, cam, 0, /live, me, @@, rtsp://cam/live",
            "rtsp://me:p%40s%2Fs@cam/live, cam, 0, /live, me, p@s/s, rtsp://cam/live",
            "rtsp://me:100%@cam/live, cam, 0, /live, me, 100%, rtsp://cam/live",
            "rtsp://me:a:b@cam/live, cam, 0, /live, me, a:b, rtsp://cam/live",
            "rtsp://me:pa/ss@cam/live, cam, 0, /live, me, pa/ss, rtsp://cam/live",
            "rtsp://me:p?a#s@cam/live, cam, 0, /live, me, p?a#s, rtsp://cam/live",
            "rtsp://me@cam, cam, 0, , me, , rtsp://cam",
            "rtsp://me:secret@[fe80::1]:554/a, [fe80::1], 554, /a, me, secret, rtsp://[fe80::1]:554/a",
            "http://cam/v?user=a&pwd=b%20c&x=1, cam, 0, /v?user=a&pwd=b%20c&x=1, , , http://cam/v?user=***&pwd=***&x=1",
            "rtsp://cam/user=a_password=x1_c=1, cam, 0, /user=a_password=x1_c=1, , ,"
                    + " rtsp://cam/user=***_password=***_c=1"
    })
    void streamsFallApart(String uri, String host, int port, String path, String user, String password, String name) {
        StreamAddress address = stream(uri);
        assertEquals(host, address.host());
        assertEquals(port, address.port());
        assertEquals(path == null ? "" : path, address.path());
        assertEquals(user == null ? "" : user, address.user());
        assertEquals(password == null ? "" : password, address.password());
        assertEquals(name, address.name());
        assertEquals(name, Sources.name(uri));
        assertEquals(name, address.toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"rtsp://me:sec@cam/li@ve", "rtsp://cam:554/hunter2@other", "rtsp://me:hunter2@", "rtsp://",
            "rtsp://me:hunter2@cam:port/", "rtsp://me:hunter2@cam:99999/", "rtsp://me:hunter 2@cam/",
            "rtsp://me:hunter2@ca<m/", "rtsp://me:hunter2@[::1/"})
    void wrongStreamsAreRefusedWithoutTheirCredentials(String uri) {
        SourceException e = assertThrows(SourceException.class, () -> Sources.open(uri));
        assertFalse(e.getMessage().contains("hunter") || e.getMessage().contains("sec@"), e.getMessage());
        assertFalse(Sources.name(uri).contains("hunter2") && uri.contains("me:"), Sources.name(uri));
    }

    @Test
    void credentialsOfTheOptionsWin() {
        SourceOptions options = SourceOptions.builder().credentials("you", "p@/s").build();
        StreamAddress address = stream("rtsp://me:pass@cam/live").with(options);
        assertEquals("rtsp://you:p%40%2Fs@cam/live", address.secretUri());
        assertFalse(options.toString().contains("p@/s") || options.toString().contains("you"), options.toString());
        assertEquals("rtsp://cam/live", Sources.open("rtsp://cam/live", options).name());
    }

    @ParameterizedTest
    @CsvSource({"0, /dev/video0", "007, /dev/video7", "/dev/video3, /dev/video3",
            "v4l2:by-path/pci-0:1.2-index0, /dev/v4l/by-path/pci-0:1.2-index0",
            "v4l2:by-id/usb-x, /dev/v4l/by-id/usb-x",
            "v4l2:/dev/video2, /dev/video2", "/dev/v4l/by-id/usb-x, /dev/v4l/by-id/usb-x"})
    void devicesHaveTheirPaths(String uri, String path) {
        assertEquals(Path.of(path), assertInstanceOf(SourceUri.Device.class, SourceUri.parse(uri)).path());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "ftp://a/b", "v4l2:0", "v4l2:by-path/../../../etc/passwd", "csi://x", "csi://",
            "no-such-file.mp4", "a\0b", "1234", "file:///no/such.mp4"})
    void whatIsNoSourceIsRefused(String uri) {
        assertThrows(SourceException.class, () -> Sources.open(uri));
    }

    @Test
    void optionsWithoutUseAreRefused(@TempDir Path folder) throws Exception {
        Path clip = Files.writeString(folder.resolve("clip.mp4"), "x");
        SourceOptions.Builder none = SourceOptions.builder();
        assertRefused("test://pattern", none.size(640, 480).build(), "size");
        assertRefused("0", SourceOptions.builder().loop(true).build(), "loop");
        assertRefused("rtsp://cam/live", SourceOptions.builder().realTime(true).build(), "real time");
        assertRefused(clip.toString(), SourceOptions.builder().credentials("a", "b").build(), "user and password");
        assertRefused("csi://0", SourceOptions.builder().decoder("h264").build(), "decoder");
    }

    private static void assertRefused(String uri, SourceOptions options, String what) {
        SourceException e = assertThrows(SourceException.class, () -> Sources.open(uri, options));
        assertTrue(e.getMessage().contains("has no use for " + what), e.getMessage());
    }

    @Test
    void optionsOutOfRangeAreRefused() {
        SourceOptions.Builder builder = SourceOptions.builder();
        assertThrows(IllegalArgumentException.class, () -> builder.rotation(45).build());
        builder.rotation(0);
        assertThrows(IllegalArgumentException.class, () -> builder.size(0, 5).build());
        builder.size(0, 0);
        assertThrows(IllegalArgumentException.class, () -> builder.rate(Double.NaN).build());
        builder.rate(0);
        assertThrows(IllegalArgumentException.class, () -> builder.credentials("", "x").build());
    }
}
