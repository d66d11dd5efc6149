package judge

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/export"
)

func newRemedyExport(env *kit.Env) *cobra.Command {
	var (
		as     = kit.Choice{Allowed: export.Forms()}
		stage  = kit.Choice{Value: string(remedy.All), Allowed: []string{string(remedy.ReportOnly), string(remedy.All)}}
		folder string
		output = kit.NewOutput("text", "json")
	)
	cmd := &cobra.Command{
		Use: "export PLAN", Short: "Write a plan for people who manage by code: Terraform, Graph, PowerShell, Bicep",
		Long: `export writes a plan's changes in the words of another tool: files of Terraform
(azuread), requests to Microsoft Graph, PowerShell, or Bicep. What the tool cannot say
stands as a comment, and on standard error. Nothing is done by it, and the plan's gates
hold for what it does all the same: check the plan first.

One file goes to standard output; several need --dir.`,
		Example: `  partnerguard remedy export plan.yaml --as graph > plan.http
  partnerguard remedy export plan.yaml --as terraform --dir terraform/
  partnerguard remedy export plan.yaml --as powershell --stage report-only`,
		Args: onePlan("remedy export"),
		RunE: func(_ *cobra.Command, args []string) error {
			p, err := readPlan(args[0])
			if err != nil {
				return err
			}
			if as.Value == "" {
				return problem.New(problem.Usage, "remedy export does not know for what").WithHint("--as terraform, graph, powershell or bicep")
			}
			out, err := export.As(p, as.Value, remedy.Stage(stage.Value))
			if err != nil {
				return err
			}
			for _, left := range out.Left {
				fmt.Fprintf(env.Stderr, "partnerguard: not in it: %s\n", print.Clean(left, print.MaxSaying))
			}
			if folder != "" {
				return writeExport(env, folder, out)
			}
			return output.Write(env, kit.Forms{
				"text": func(w io.Writer) error { return oneFile(w, out) },
				"json": func(w io.Writer) error { return print.JSON(w, exported(out)) },
			})
		},
	}
	kit.AddChoice(cmd, &as, "as", "for which tool")
	kit.AddChoice(cmd, &stage, "stage", "the policies as they are in this stage")
	cmd.Flags().StringVar(&folder, "dir", "", "write the files into this folder; it is made where there is none")
	_ = cmd.MarkFlagDirname("dir")
	output.RegisterFile(cmd)
	return cmd
}

// oneFile writes the only file there is.
func oneFile(w io.Writer, out *export.Out) error {
	if len(out.Files) != 1 {
		return problem.New(problem.Usage, "it comes to %d files", len(out.Files)).WithHint("give --dir FOLDER")
	}
	_, err := w.Write(out.Files[0].Text)
	return err
}

// writeExport writes files into a folder that only its owner reads.
func writeExport(env *kit.Env, folder string, out *export.Out) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return problem.Wrap(err, problem.BadInput, "%s cannot be made%s", print.Clean(folder, print.MaxName), problem.Reason(err))
	}
	for _, f := range out.Files {
		path := filepath.Join(folder, filepath.Base(f.Name))
		if err := kit.WriteOut(env, path, func(w io.Writer) error { _, err := w.Write(f.Text); return err }); err != nil {
			return err
		}
		fmt.Fprintf(env.Stderr, "partnerguard: wrote %s\n", print.Clean(path, print.MaxName))
	}
	return nil
}

// exportedFile is a file in JSON.
type exportedFile struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

func exported(out *export.Out) any {
	files := []exportedFile{}
	for _, f := range out.Files {
		files = append(files, exportedFile{f.Name, string(f.Text)})
	}
	return struct {
		Files []exportedFile `json:"files"`
		Left  []string       `json:"left"`
	}{files, print.List(out.Left)}
}
