package dev.shrike.training;

/**
 * One jar of group {@code org.bytedeco}.
 *
 * @param classifier empty for the classes
 * @param bytes size of the file
 * @param sha256 of the file, in hexadecimal
 */
record TorchJar(String artifact, String version, String classifier, long bytes, String sha256) {
    String fileName() {
        return artifact + "-" + version + (classifier.isEmpty() ? "" : "-" + classifier) + ".jar";
    }
}
