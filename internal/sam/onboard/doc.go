// Package onboard takes the consents of partners that a control panel vendor
// invited: a link for one partner tenant, good once and for some days, leads to
// a page of the server, from there to the sign-in, and back to the server's own
// callback.
//
// The link's secret is kept as a hash. Opening the page begins nothing: a
// person must press its button, so that a mail scanner uses nothing up. The
// answer is bound to the browser by a cookie; what was proven is capture's
// business. Sign-ins under way are in memory: behind a load balancer a person
// must come back to the process that began, or begin again.
package onboard
