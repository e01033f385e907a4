/* orders.h - elements that are taken for others: in another order, of a neighbour, always the first.  Internal to the
 * findings.
 *
 * Of weights, images and outputs alike: their five axes are those of frame.h.   Read next: orders.c
 */
#ifndef CONVREF_VERIFY_FINDINGS_ORDERS_H
#define CONVREF_VERIFY_FINDINGS_ORDERS_H

#include "verify/findings/mistake.h"

/* Turned round in space. */
order_function order_rotated, order_mirrored, order_upside_down, order_transposed;

/* What lies in memory is of another order than it is taken for: the element of memory that is taken for this one.
 *   channels_last      it is channels first, and is taken for channels last
 *   channels_first     the reverse
 *   channels_exchanged  K x C for C x K;  taps_first  ... for T x R x S x C x K
 *   rows_exchanged     it is H x W, and is taken for W x H;  rows_back  the reverse */
order_function order_channels_last, order_channels_first, order_channels_exchanged, order_taps_first;
order_function order_rows_exchanged, order_rows_back;

/* Rows, planes and groups that are taken to begin elsewhere. */
order_function order_row_longer, order_row_shorter, order_row_of_height, order_plane_of_outputs, order_plane_without_depth;
order_function order_group_of_others;

/* Neighbours: there is none at the end of an axis. */
order_function order_next_column, order_previous_column, order_next_row, order_previous_row, order_next_plane;
order_function order_next_channel, order_previous_channel, order_previous_image, order_next_filter, order_previous_filter;

/* Always the first, of images, channels, groups; those of the group before; one image alone. */
order_function order_first_image, order_first_channel, order_first_group, order_first_group_of_filters, order_group_before;
order_function order_first_image_alone, order_last_image_alone;

/* Of a depthwise filter's multiplier, and of the output channels of groups: k = g * K/G + i for i * G + g, and the
 * reverse. */
order_function order_multiplier_outside, order_multiplier_inside, order_groups_interleaved, order_groups_gathered;

#endif
