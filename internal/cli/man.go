package cli

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/problem"
)

// newMan makes man, which writes a manual page for every command.
func newMan(env *kit.Env) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use: "man", Short: "Write the manual pages", Args: kit.NoWords,
		Long: `man writes a manual page (section 1) for every command into a folder, which is
made when it is not there. Without --dir it prints the one of partnerguard itself.`,
		Example: `  partnerguard man | man -l -
  partnerguard man --dir /usr/local/share/man/man1`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			root := cmd.Root()
			root.DisableAutoGenTag = true // it has the day on which it was written
			head := func() *doc.GenManHeader {
				h := &doc.GenManHeader{Section: "1", Source: "partnerguard", Manual: "Partnerguard"}
				if t, err := time.Parse(time.RFC3339, app.Program().Time); err == nil {
					h.Date = &t // else today's
				}
				return h
			}
			if dir == "" {
				return kit.WriteOut(env, "", func(w io.Writer) error { return doc.GenMan(root, head(), w) })
			}
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return problem.Wrap(err, problem.BadInput, "the folder %s cannot be made", dir)
			}
			return manTree(env, root, head, dir)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "the folder to write all pages into")
	_ = cmd.MarkFlagDirname("dir")
	return cmd
}

// manTree writes the pages of a command and of those below it, each whole or not
// at all.
func manTree(env *kit.Env, cmd *cobra.Command, head func() *doc.GenManHeader, dir string) error {
	for _, c := range cmd.Commands() {
		if !c.IsAvailableCommand() || c.IsAdditionalHelpTopicCommand() {
			continue
		}
		if err := manTree(env, c, head, dir); err != nil {
			return err
		}
	}
	name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".1"
	path := filepath.Join(dir, name)
	if err := kit.WriteOut(env, path, func(w io.Writer) error { return doc.GenMan(cmd, head(), w) }); err != nil {
		return err
	}
	if err := os.Chmod(path, 0o644); err != nil { //nolint:gosec // a manual is for everybody
		return problem.Wrap(err, problem.BadInput, "%s cannot be made readable", path)
	}
	return nil
}
