package dev.shrike.calibration.prune;

import io.jenetics.DoubleChromosome;
import io.jenetics.DoubleGene;
import io.jenetics.GaussianMutator;
import io.jenetics.Genotype;
import io.jenetics.engine.Engine;
import io.jenetics.ext.SimulatedBinaryCrossover;
import io.jenetics.ext.moea.NSGA2Selector;
import io.jenetics.ext.moea.UFTournamentSelector;
import io.jenetics.ext.moea.Vec;
import io.jenetics.util.DoubleRange;
import io.jenetics.util.ISeq;
import io.jenetics.util.RandomRegistry;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * Finds plans of which none is both cheaper and nearer to the whole network, by NSGA-II (Deb et al. 2002) over the
 * share of units that each group loses.
 */
final class ParetoSearch {
    /** Stands for plans that cannot be carried out; finite, since distances of plans are differences. */
    private static final double WORST = 1e6;
    private static final double CROSSOVER = 0.9;
    private static final double SPREAD = 0.2;

    private final List<RemovalOrder> orders;
    private final MacModel costs;
    private final Budget.Measure measure;
    private final PlanJudge judge;
    private final Map<Set<Integer>, Plan> plans = new LinkedHashMap<>();

    /**
     * A plan that was judged.
     *
     * @param removed units that go
     * @param cost what is left, in absolute terms
     * @param divergence of the heads
     */
    record Plan(Set<Integer> removed, double cost, double divergence) {}

    ParetoSearch(List<RemovalOrder> orders, MacModel costs, Budget.Measure measure, PlanJudge judge) {
        this.orders = orders;
        this.costs = costs;
        this.measure = measure;
        this.judge = judge;
        consider(Set.of());
    }

    /** Judges a plan, unless it is known. */
    Plan consider(Set<Integer> removed) {
        return plans.computeIfAbsent(Set.copyOf(removed), units -> new Plan(units, costs.value(measure, units),
                Math.min(WORST, judge.divergence(units))));
    }

    /** Lets plans evolve; the same seed finds the same ones. */
    void run(int population, int generations, long seed, Pruner.Listener listener) {
        if (orders.isEmpty()) {
            return;
        }
        int all = population + generations * (population - population / 2);
        Engine<DoubleGene, Vec<double[]>> engine = Engine.<DoubleGene, Vec<double[]>>builder(genotype -> {
            listener.at("plans", Math.min(plans.size(), all), all);
            Plan plan = consider(RemovalOrder.removed(orders, counts(genotype)));
            return Vec.of(plan.cost(), plan.divergence());
        }, genotype(new double[orders.size()])).minimizing().populationSize(population)
                .offspringSize(population - population / 2)
                .offspringSelector(UFTournamentSelector.ofVec()).survivorsSelector(NSGA2Selector.ofVec())
                .alterers(new SimulatedBinaryCrossover<>(CROSSOVER),
                        new GaussianMutator<>(Math.max(0.1, 1.0 / orders.size())))
                // Judging a plan takes all threads; and one order of plans makes a run repeatable.
                .executor(Runnable::run).build();
        Random random = new Random(seed);
        ISeq<Genotype<DoubleGene>> first = first(population, random);
        RandomRegistry.using(random, _ -> engine.stream(first).limit(generations + 1L).forEach(_ -> {}));
    }

    /** Equal shares from none to all, every other one with shares around them. */
    private ISeq<Genotype<DoubleGene>> first(int population, Random random) {
        List<Genotype<DoubleGene>> first = new ArrayList<>();
        for (int i = 0; i < population; i++) {
            double[] shares = new double[orders.size()];
            for (int group = 0; group < shares.length; group++) {
                double share = (double) i / Math.max(1, population - 1);
                shares[group] = Math.clamp(share + (i % 2 == 0 ? 0 : SPREAD * random.nextGaussian()), 0, 1);
            }
            first.add(genotype(shares));
        }
        return ISeq.of(first);
    }

    private static Genotype<DoubleGene> genotype(double[] shares) {
        // The end of a range is not part of it.
        DoubleRange range = new DoubleRange(0, Math.nextUp(1.0));
        DoubleGene[] genes = new DoubleGene[shares.length];
        for (int i = 0; i < genes.length; i++) {
            genes[i] = DoubleGene.of(shares[i], range);
        }
        return Genotype.of(DoubleChromosome.of(genes));
    }

    private int[] counts(Genotype<DoubleGene> genotype) {
        int[] counts = new int[orders.size()];
        for (int group = 0; group < counts.length; group++) {
            counts[group] = (int) Math.round(Math.clamp(genotype.chromosome().get(group).doubleValue(), 0, 1)
                    * orders.get(group).units().length);
        }
        return counts;
    }

    /** The plans that no other one beats in both respects, the cheapest first. */
    private List<Plan> front() {
        List<Plan> front = new ArrayList<>();
        double lowest = WORST;
        for (Plan plan : plans.values().stream()
                .sorted(Comparator.comparingDouble(Plan::cost).thenComparingDouble(Plan::divergence)).toList()) {
            if (plan.divergence() < lowest) {
                front.add(plan);
                lowest = plan.divergence();
            }
        }
        return front;
    }

    /**
     * The front, the cheapest plan first.
     *
     * @param most plans; of more, some at even distances
     */
    List<Plan> front(int most) {
        List<Plan> front = front();
        if (front.size() <= most) {
            return front;
        }
        List<Plan> some = new ArrayList<>();
        for (int i = 0; i < most; i++) {
            some.add(front.get((int) ((long) i * (front.size() - 1) / (most - 1))));
        }
        return some;
    }

    /** The most accurate plan of a front within a budget where accuracies are known, else that of least divergence. */
    Set<Integer> best(double goal, ParetoFront front) {
        return front.points().stream().filter(point -> point.cost() <= goal && point.accuracy().isPresent())
                .max(Comparator.comparingDouble(point -> point.accuracy().getAsDouble()))
                .map(ParetoFront.Point::removed)
                .orElseGet(() -> plans.values().stream().filter(plan -> plan.cost() <= goal)
                        .min(Comparator.comparingDouble(Plan::divergence)).orElseThrow().removed());
    }
}
