// Package screen owns what a page of the console is made of: what a feature says of its
// page, and how that becomes HTML, CSV, JSON and a part of the API's document.
//
// A feature gives a [Screen]: a name, who may see it, a [List] with its columns and
// filters, and Load, which gets an [Ask] and answers with a [View]. One definition gives
// the page, the exports and the API, which therefore cannot say different things. The
// shell around it, entry and rights belong to package console; screen knows no
// feature, no database and no session.
//
// Every text is hostile: it reaches a page through [Builder], which escapes it, takes
// names of tags and attributes as constants only, and has no way to write a style, a
// script or an address of another host. Pages are built by it and not by html/template,
// because a list of 500 rows is written in a few milliseconds so, and in ten times that
// otherwise; corpus tests hold it to html/template's idea of what is safe.
//
// Followed: CSP Level 3, WCAG 2.2 AA, RFC 4180 (CSV), RFC 9457 (problem details),
// OpenAPI 3.1.
package screen
