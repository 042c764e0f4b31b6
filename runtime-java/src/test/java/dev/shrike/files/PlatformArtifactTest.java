package dev.shrike.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class PlatformArtifactTest {
    @Test
    void namesTheArtifactOfThePlatform() {
        assertTrue(PlatformArtifact.advice("Linux", "amd64")
                .startsWith("add the artifact dev.shrike:shrike-linux-x86_64 "));
        assertTrue(PlatformArtifact.advice("Linux", "aarch64")
                .startsWith("add the artifact dev.shrike:shrike-linux-arm64 "));
    }

    @Test
    void namesThePlatformsElsewhere() {
        String there = "there are native libraries for linux-x86_64 and linux-arm64 alone, this is ";
        assertEquals(there + "macosx-arm64: run it on one of those", PlatformArtifact.advice("Mac OS X", "aarch64"));
        assertEquals(there + "windows11-x86_64: run it on one of those",
                PlatformArtifact.advice("Windows 11", "amd64"));
        assertEquals(there + "linux-riscv64: run it on one of those", PlatformArtifact.advice("Linux", "riscv64"));
    }
}
