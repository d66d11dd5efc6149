//go:build judge

package kit

import (
	"context"

	"github.com/spf13/cobra"

	"partnerguard/internal/problem"
	"partnerguard/internal/vouch"
)

// AddKeep adds nothing: this build keeps nothing.
func AddKeep(*cobra.Command, *bool) {}

// KeepStatement is never called here.
func KeepStatement(context.Context, *Env, *cobra.Command, vouch.Statement) (string, error) {
	return "", problem.New(problem.Internal, "this build keeps nothing")
}
