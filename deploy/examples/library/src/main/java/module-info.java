/** Finds objects with Shrike as a library. */
module example.finder {
    requires dev.shrike;
}
