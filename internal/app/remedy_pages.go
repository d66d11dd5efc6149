//go:build !judge

package app

import "partnerguard/internal/remedy/pages"

// remedyPages are the console's pages of plans.
func (i *Installation) remedyPages() pager {
	return &pages.Pages{Runs: i.Remedy, As: func(actor string) pages.Actor { return i.Remedy.As(actor) }}
}
