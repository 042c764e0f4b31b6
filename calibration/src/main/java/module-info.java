/** The tools that make networks small and measure what that costs. */
module dev.shrike.calibration {
    requires com.fasterxml.jackson.databind;
    requires dev.shrike;
}
