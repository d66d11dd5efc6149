// Package e2e checks the product from outside, the way people meet it. What
// needs a real browser has the build tag "browser":
//
//	go test -tags browser ./e2e
//
// The browser is Chromium, found as $CHROMIUM or /usr/bin/chromium. Without one
// the checks are skipped with a loud word, and fail where CI is set. With
// E2E_SHOTS=<folder> every page is also kept there as a picture.
package e2e
