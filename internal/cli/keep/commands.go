package keep

import (
	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
)

// Commands are the commands of this wing.
func Commands(env *kit.Env) []*cobra.Command {
	return []*cobra.Command{
		newCollect(env),
		newGaps(env),
		newHistory(env),
		newChanges(env),
		newRejudge(env),
		newExceptions(env),
		newNotify(env),
		newArchive(env),
		newPack(env),
		newDoctor(env),
		newDB(env),
		newBackup(env),
		newRestore(env),
		newSettledVault(env),
		newSettledTrail(env),
		newConfig(env),
	}
}
