module dev.shrike.app {
    requires dev.shrike;
    requires info.picocli;
    requires com.fasterxml.jackson.databind;

    opens dev.shrike.app.catalogue to
            info.picocli;
}
