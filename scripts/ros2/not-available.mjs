/** ROS 2 cannot be had here at all (wrong platform, no usable Python): a reason to skip, unlike a build that broke. */
export class NotAvailable extends Error {}
