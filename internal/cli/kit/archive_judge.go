//go:build judge

package kit

import "github.com/spf13/cobra"

// addArchive does nothing where nothing is kept: reading says so.
func addArchive(*Env, *cobra.Command, *[]string) {}

// AddPlace adds nothing.
func AddPlace(*cobra.Command) {}
