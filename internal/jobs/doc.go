// Package jobs is the queue: work that must be done later, once, or by any of
// several processes. It is River over the program's own database, SQLite or
// PostgreSQL, and the only package that knows River.
//
// A feature registers a handler by kind and adds jobs with arguments that are
// small JSON objects; a job added in a transaction exists when that commits. A
// job runs at least once: a process that dies in the middle leaves it to be
// taken up again, so handlers must bear being repeated. Arguments, and the
// errors that handlers return, are stored and shown: never a secret in them.
//
// Repeated work (see [Queue.Every]) is added by a clock of the process's own
// that runs evenly when the machine's clock jumps. A job whose time lies in a
// future that a wrong clock made up is brought back when it is added again.
package jobs
