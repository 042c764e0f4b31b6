package dev.shrike.spi;

/**
 * An executor that can pick candidates out of the network's output where that lies, so that a few boxes come back
 * instead of whole tensors. It need not: the detector decodes the outputs itself whenever this says no.
 *
 * <ol>
 *   <li>Call {@link #pick} once, before the first run that matters.
 *   <li>If that was answered with yes, call {@link #candidates} after each run, for each image of the batch.
 * </ol>
 */
public interface CandidateExecutor extends GraphExecutor {
    /**
     * Whether runs pick candidates from now on. The executor tries both ways on the device and says no where the
     * detector is as quick, or where it cannot do it at all. After a yes the outputs hold anything but what
     * {@link #candidates} leaves in them.
     *
     * @param query which candidates
     * @param onHost decodes the outputs of all images as they are now, to be compared with; may throw a
     *     {@link dev.shrike.ModelException}, which only ends the comparison
     * @throws dev.shrike.DeviceException if the executor was told to pick and cannot
     * @throws IllegalStateException if the executor was closed, or this was called before
     */
    boolean pick(CandidateQuery query, Runnable onHost);

    /**
     * Hands out the candidates of the last run, in the order of the output: by box, then by class.
     *
     * @param image index in the batch
     * @return false if it has handed out none since it cannot hold all of them, or some value is NaN or infinite: then
     *     the outputs are complete, and the detector decodes them
     * @throws dev.shrike.DeviceException if the device failed
     * @throws IllegalStateException if the executor was closed, does not pick, or has not run
     */
    boolean candidates(int image, CandidateSink sink);
}
