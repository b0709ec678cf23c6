// The guided tour: five steps, each with its settings and the stage that it explains.

const FIRST = { data: "people", layers: "1", units: "3", activation: "relu", rate: "0.03", seed: "8" };

export const LESSON = [
  {
    title: "A neuron is a sum",
    text: "All weights are random at first. The inputs are scaled: 0 is the mean height or age. Select a neuron and read its sum "
      + "below the picture: each input times its weight, plus the bias. Then ReLU sets any negatives to 0. The last neuron is the "
      + "answer, still a random one.",
    settings: FIRST,
    stage: "forward",
  },
  {
    title: "The loss says how wrong it is",
    text: "The true weight of this person is known. The loss is the squared difference between answer and truth; to learn is to "
      + "make it smaller, for all pairs. Press Next pair a few times: each pair has its own loss.",
    settings: FIRST,
    stage: "loss",
  },
  {
    title: "The gradient says which way is down",
    text: "The gradient of a weight is how fast the loss would rise with it, so the weight must move the other way. Select a neuron: the text "
      + "below its table works out its gradients, from the output back. A neuron that ReLU set to 0 has gradients of 0.",
    settings: FIRST,
    stage: "gradient",
  },
  {
    title: "Many small steps",
    text: "Each weight moves by the learning rate times its gradient, which helps one pair a little. Press Run, and watch the "
      + "mean loss over all pairs fall. Then try the help-desk questions: the same steps, with three labels.",
    settings: { ...FIRST, layers: "2", activation: "tanh" },
    stage: "step",
  },
  {
    title: "Steps that are too large",
    text: "Here, the learning rate is 3. Press Run: each step jumps over the lowest point and lands higher on the other side, until "
      + "the loss is infinite. With too small a rate, such as 0.001, learning takes very long.",
    settings: { ...FIRST, layers: "0", rate: "3" },
    stage: "forward",
  },
];
