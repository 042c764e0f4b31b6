/** Runs while the packages are built: what a package holds that is made from the command itself. */
package dev.shrike.packaging;
