// Package attack holds tests only: they attack a whole installation over the
// local partner cloud as an enemy would who writes its database. Each column of
// each table of the live schema is written, so that one which a new migration
// brings is tried without anybody adding it; tables are put back to an earlier
// state; triggers and views are planted; old data folders are opened.
//
// A short part runs with all other tests. PARTNERGUARD_ATTACK=whole, which make
// attack sets, runs everything.
package attack
