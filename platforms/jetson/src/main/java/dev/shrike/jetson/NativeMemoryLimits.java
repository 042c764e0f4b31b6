package dev.shrike.jetson;

/** Switches off JavaCPP's limits of native memory, which it derives from the Java heap. */
final class NativeMemoryLimits {
    private NativeMemoryLimits() {}

    /**
     * To be called before JavaCPP's first class is initialised. JavaCPP counts the memory of the whole process against
     * its limit, engines and shared GPU memory among it, and then fails allocations that would succeed.
     */
    static void lift() {
        for (String property : new String[] {"org.bytedeco.javacpp.maxBytes",
                "org.bytedeco.javacpp.maxPhysicalBytes"}) {
            if (System.getProperty(property) == null) {
                System.setProperty(property, "0");
            }
        }
    }
}
