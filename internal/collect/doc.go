// Package collect reads live tenants: which resource is due in which tenant, how
// far each reading is, who is at it, and what was never read.
//
// The data's way: [evidence.Resources] says what there is to read. A round of a
// tenant (see [Collector.Round]) holds the tenant's lease, and asks a [Walker]
// for each resource that is due, page by page. Pages go to the archive's writer;
// every few pages they are committed, and the place to go on from is committed in
// the same transaction. So a process that dies at any moment loses nothing that
// was committed, and repeats nothing: the next one goes on with the page after
// the last that was kept.
//
// What is refused by a missing licence, permission, role or consent is a fact, no
// failure: it is asked again at a slower pace, and stands in the ledger of gaps
// with what is missing. So does an answer nothing can be read from, an interval of
// a log that kept failing, and one that Microsoft kept no longer when it was to be
// read. A gap is closed when it was read after all. Whoever judges turns the gaps
// into what they are: lists that are not whole (see [evidence.Gap.Cut]).
//
// No clock is trusted further than it must be. A lease is counted in beats and not
// in time. A moment that lies farther ahead than any wait of ours was made up by a
// wrong clock and counts for nothing; a log that claims to be read up to the future
// is read again as far back as Microsoft keeps it.
//
// It reads only. Tokens are not its business: it is given a target that has them.
package collect
