/*
 * Strided views of up to SHRIKE_MAX_RANK dimensions.
 *
 * In all of them dims[0..rank-1] is the shape, outermost first (every size >= 1; rank 0 is one element), and
 * strides[i] the distance of neighbours along dimension i. A source stride may be 0 (broadcast) or negative; the
 * elements of a destination must be distinct. dst may be the same view as a source in unary and binary.
 */
#ifndef SHRIKE_API_VIEW_H
#define SHRIKE_API_VIEW_H

#define SHRIKE_MAX_RANK 6

#endif
