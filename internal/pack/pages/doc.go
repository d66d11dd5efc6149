// Package pages has the console's page of packs: which were made, for whom, with their sums
// and how they are verified, a form that makes one, and the download of one that lies with
// the installation.
//
// It makes and verifies nothing by itself, and hands nothing out to somebody who may not see
// people and the trail: a pack has both. Whoever is limited to customers sees packs of
// those tenants alone.
package pages
