// Package view shows the archive as the export that somebody would have made at a
// moment: the same files, with the same content, read by the same intake.
package view
