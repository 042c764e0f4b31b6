/*
 * Activations of convolutions; the order is that of dev.shrike.graph.Activation.Kind.
 */
#ifndef SHRIKE_API_ACTIVATION_H
#define SHRIKE_API_ACTIVATION_H

#include "base.h"

enum shrike_activation {
    SHRIKE_ACTIVATION_NONE,
    SHRIKE_ACTIVATION_SILU,
    SHRIKE_ACTIVATION_RELU,
    SHRIKE_ACTIVATION_LEAKY_RELU, /* alpha: slope below 0 */
    SHRIKE_ACTIVATION_SIGMOID,
    SHRIKE_ACTIVATION_HARD_SIGMOID, /* max(0, min(1, alpha x + beta)) */
    SHRIKE_ACTIVATION_HARD_SWISH, /* x max(0, min(1, x / 6 + 1 / 2)) */
    SHRIKE_ACTIVATION_TANH,
    SHRIKE_ACTIVATION_CLIP, /* max(alpha, min(beta, x)); alpha <= beta */
    SHRIKE_ACTIVATION_COUNT
};

#endif
