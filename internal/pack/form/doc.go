// Package form is the form of a pack: what is in the file, in which order, under which
// sums and signatures. It opens nothing: what it writes to and reads from is handed in.
// Everything read has limits. docs/pack-form.md describes it for those who write a reader.
package form
