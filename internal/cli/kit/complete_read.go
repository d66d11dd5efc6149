package kit

import (
	"context"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
)

// completeWithin is how long a person waits for a completion.
const completeWithin = 3 * time.Second

// CompleteAccounts completes a flag of cmd by the accounts of what is read, or of
// the embedded sample.
func CompleteAccounts(cmd *cobra.Command, name string, from *[]string) {
	_ = cmd.RegisterFlagCompletionFunc(name, func(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		ctx, stop := context.WithTimeout(context.WithoutCancel(cmd.Context()), completeWithin)
		defer stop()
		for _, path := range *from { // what may wait for ever, or is the shell's, is not read
			if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() && !info.IsDir() {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
		}
		f, err := app.Read(ctx, app.Reading{From: *from, Stdin: strings.NewReader("")}, nil)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var list []string
		for _, u := range f.Directory.Users {
			list = append(list, u.UserPrincipalName)
		}
		return offered(list, begun, nil), cobra.ShellCompDirectiveNoFileComp
	})
}

// offered are the words that go on as begun and are not given yet, in order. What a
// terminal or a shell's script would act on is no word.
func offered(list []string, begun string, given []string) []string {
	list = slices.DeleteFunc(list, func(w string) bool {
		return len(w) < len(begun) || !strings.EqualFold(w[:len(begun)], begun) || slices.Contains(given, w) || strings.HasPrefix(w, "_activeHelp_") ||
			!utf8.ValidString(w) || strings.ContainsFunc(w, func(r rune) bool { return !unicode.IsPrint(r) })
	})
	slices.Sort(list)
	return slices.Compact(list)
}
