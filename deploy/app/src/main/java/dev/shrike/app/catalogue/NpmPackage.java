package dev.shrike.app.catalogue;

import java.util.Base64;
import java.util.regex.Pattern;

/**
 * One version of an npm package, pinned.
 *
 * @param name name, with its scope if it has one
 * @param version exact version
 * @param bytes size of the package's tarball
 * @param integrity {@code sha512-} and the Base64 SHA-512 of the tarball, as npm itself writes it
 */
record NpmPackage(String name, String version, long bytes, String integrity) {
    private static final Pattern NAME = Pattern.compile("(@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*");
    private static final Pattern VERSION = Pattern.compile("[0-9]+\\.[0-9]+\\.[0-9]+");
    private static final String PREFIX = "sha512-";

    NpmPackage {
        if (!NAME.matcher(name).matches() || !VERSION.matcher(version).matches()) {
            throw new IllegalArgumentException("'" + name + "@" + version + "' is not an exact npm version");
        }
        if (bytes <= 0) {
            throw new IllegalArgumentException("tarball of " + bytes + " bytes");
        }
        if (!integrity.startsWith(PREFIX)
                || Base64.getDecoder().decode(integrity.substring(PREFIX.length())).length != 64) {
            throw new IllegalArgumentException("'" + integrity + "' is not a SHA-512 integrity");
        }
    }

    /** {@code name@version}. */
    String specification() {
        return name + "@" + version;
    }

    /** The integrity text of a SHA-512. */
    static String integrityOf(byte[] sha512) {
        return PREFIX + Base64.getEncoder().encodeToString(sha512);
    }
}
