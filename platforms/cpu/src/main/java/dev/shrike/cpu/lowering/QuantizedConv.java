package dev.shrike.cpu.lowering;

import dev.shrike.graph.kernels.LookupTable;
import dev.shrike.graph.quantization.ActivationEpilogue;
import dev.shrike.graph.quantization.IntegerWeights;
import dev.shrike.graph.quantization.QuantParams;
import dev.shrike.graph.quantization.QuantizedAdd;
import dev.shrike.graph.quantization.Requantization;

/**
 * A convolution or matrix product of codes by integer weights, with what turns its sums into the result.
 *
 * @param from codes of the input; of measured ones scale 1 and zero point 0 stand for those of each run
 * @param measured whether scale and zero point of the input are measured in each run, see DynamicQuant
 * @param weights integer weights, a row per output channel
 * @param requantization from sums to codes, or to floats
 * @param toCodes whether the result is codes
 * @param activated from the floats to codes through an activation function or the sum with a residual, or null
 * @param table applied to the codes, or null
 * @param sum adds a residual to the codes, or null
 */
public record QuantizedConv(
        QuantParams from,
        boolean measured,
        IntegerWeights weights,
        Requantization requantization,
        boolean toCodes,
        ActivationEpilogue activated,
        LookupTable table,
        QuantizedAdd sum) {}
