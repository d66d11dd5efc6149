// Package detect owns our own eyes on Azure fraud: from use and the Activity Log alone it says
// where a subscription is abused, and when that could first be known.
//
// It is causal: what it says of a moment rests on records up to that moment, so a replay shows
// the true time to detect. It never calls Microsoft, and keeps nothing.
//
// Source: contracts-2026-11.md section 4.
package detect
