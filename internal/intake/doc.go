// Package intake opens what people really have: folders, files and pipes of
// exports in any mix, and hands each record on with its kind and its source.
//
// The data's way: path -> bytes (read.go) -> decompressed, UTF-8 (package text; a
// zip archive is read entry by entry in archive.go, a workbook sheet by sheet in
// workbook.go) -> shape (shape.go, documents.go, container.go, answers.go, csv.go,
// on the scanner of package text) -> records (record.go) -> kind, recognised by
// content alone (recognise.go, entityset.go, for sign-ins signins.go) -> Graph's
// form, whatever tool wrote it (normal.go, plain.go, forms.go). Configurations
// (config.go, dsc.go) and AzureHound become such records too. pages.go follows
// collections over all inputs; docs/inputs.md lists what is decided.
//
// Where the sink is one that reads ahead ([Ahead]), lists of sign-ins, rows of tables
// of sign-ins and the lines of files that are not large are handed to it in batches,
// and several inputs are on their way at once (ahead.go, csvahead.go). What may be
// told of a record by more than its keys and kinds of values still goes the slow way,
// and everything is accounted for in the order of a reading without it.
//
// What becomes of an input:
//
//	read            every record was understood; a kind with the count 0 is a
//	                list that was there and empty, which is evidence too
//	partial         some was read, and a note says what was not
//	unreadable      nothing was read though it should have been: damage, a
//	                refusal of the service instead of data, or an empty file or
//	                archive that was named by the user
//	not_recognised  well-formed, but nothing that is judged; the note says what
//	                it looks like and why
//
// Well-formed records that nothing judges, inside an input that is otherwise
// read, are counted and noted and leave it read.
//
// Invariants. A record handed on is one JSON object that encoding/json accepts,
// no larger than [MaxRecord] and nested no deeper than 512. Memory is bounded
// whatever the input: one record and a few buffers; everything else streams, but
// for an archive that comes through a pipe or lies in another (64 MiB) and a
// workbook (192 MiB unpacked).
// Half a record is none. What cannot be read is noted with file, place and what
// was expected, and the rest is still read where the shape allows it: JSON lines
// and objects behind each other resume at the next line that begins with '{'.
//
// Never: execute, fetch, unpack to disk, look at a file's name or extension.
package intake
