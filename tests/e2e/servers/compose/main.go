// Reads Compose files as `docker compose config` does, with the library that it uses, and prints the
// project as JSON. An error of the files, an unknown key or a missing variable that is required: exit code 1.
//
//	compose [-profile NAME]... FILE...
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
)

type names []string

func (n *names) String() string { return fmt.Sprint(*n) }

func (n *names) Set(value string) error {
	*n = append(*n, value)
	return nil
}

func run() error {
	var profiles names
	flag.Var(&profiles, "profile", "a profile to enable; may be repeated")
	flag.Parse()
	options, err := cli.NewProjectOptions(flag.Args(), cli.WithOsEnv, cli.WithDotEnv,
		cli.WithInterpolation(true), cli.WithResolvedPaths(true), cli.WithProfiles(profiles))
	if err != nil {
		return err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return err
	}
	text, err := project.MarshalJSON()
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(append(text, '\n'))
	return err
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
