package dev.shrike.app.page;

import java.util.List;
import java.util.Objects;

/**
 * How the page is served.
 *
 * @param address IP address to listen at
 * @param port TCP port; 0 takes a free one
 * @param token what visitors must know; empty for nothing
 * @param hosts names that the page may be called by, besides addresses and the machine's own name
 * @param streams most streams at once
 * @param perAddress most requests at once of one address
 * @param writeSeconds time after which a client that takes nothing is cut
 */
public record PageSettings(String address, int port, String token, List<String> hosts, int streams, int perAddress,
        int writeSeconds) {
    public PageSettings {
        Objects.requireNonNull(address, "address");
        Objects.requireNonNull(token, "token");
        hosts = List.copyOf(hosts);
    }

    @Override
    public String toString() {
        return "page at " + address + ":" + port;
    }
}
